// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

struct sqlite3;

namespace nerve::test {

/// A database as any other program has it open: SQLite's own interface, without a line of what is tested.
class SqliteDatabase {
 public:
  /// Opens for writing and creates the file where there is none.
  explicit SqliteDatabase(const std::filesystem::path& path);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  void execute(const std::string& sql);
  std::int64_t integer(const std::string& sql);
  std::string text(const std::string& sql);
  /// Changes the schema's own text, which SQLite permits for repairs, and so makes what no statement can.
  void edit_schema(const std::string& update);
  ::sqlite3* handle() noexcept { return connection_; }

 private:
  ::sqlite3* connection_ = nullptr;
};

/// Makes a database by a script and closes it.
void make_database(const std::filesystem::path& path, const std::string& script);

void write_bytes(const std::filesystem::path& path, const std::string& bytes);
/// Overwrites page `number`, counted from 1.
void overwrite_page(const std::filesystem::path& path, std::size_t page_size, std::size_t number,
                    const std::string& content);
/// Bytes that look random and are the same in each run.
std::string random_bytes(std::size_t count);

/// Another process, which does some work and then stays until it is killed, as by `kill -9`, or the test
/// ends.
///
/// It is forked, so `work` must not use a database that this process has open.
class OtherProcess {
 public:
  /// `work` calls what it is handed when it is done, which never returns; the constructor returns then.
  using Work = std::function<void(const std::function<void()>& stay)>;
  explicit OtherProcess(const Work& work);
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  ~OtherProcess();

  pid_t pid() const noexcept { return pid_; }
  void kill();

 private:
  pid_t pid_ = -1;
};

/// A process that has run a script on a database and keeps it open, with what transaction it has.
OtherProcess keep_open(const std::filesystem::path& path, const std::string& script);

/// Runs `work` in another process and returns what it returns (0 to 255).
int run_in_other_process(const std::function<int()>& work);

}  // namespace nerve::test
