// SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite_database.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <random>
#include <stdexcept>

namespace nerve::test {

namespace {

void require(int code, ::sqlite3* connection) {
  if (code != SQLITE_OK) throw std::runtime_error(::sqlite3_errmsg(connection));
}

}  // namespace

SqliteDatabase::SqliteDatabase(const std::filesystem::path& path) {
  require(::sqlite3_open(path.c_str(), &connection_), connection_);
}

SqliteDatabase::~SqliteDatabase() {
  ::sqlite3_close(connection_);
}

void SqliteDatabase::execute(const std::string& sql) {
  require(::sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr), connection_);
}

std::string SqliteDatabase::text(const std::string& sql) {
  std::string value;
  const auto keep = [](void* context, int, char** cells, char**) {
    *static_cast<std::string*>(context) = cells[0] == nullptr ? "" : cells[0];
    return 0;
  };
  require(::sqlite3_exec(connection_, sql.c_str(), keep, &value, nullptr), connection_);
  return value;
}

std::int64_t SqliteDatabase::integer(const std::string& sql) {
  return std::stoll(text(sql));
}

void SqliteDatabase::edit_schema(const std::string& update) {
  execute("PRAGMA writable_schema=ON; " + update + "; PRAGMA writable_schema=RESET");
}

void make_database(const std::filesystem::path& path, const std::string& script) {
  SqliteDatabase(path).execute(script);
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

void overwrite_page(const std::filesystem::path& path, std::size_t page_size, std::size_t number,
                    const std::string& content) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(page_size * (number - 1)));
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string random_bytes(std::size_t count) {
  std::mt19937 generator(20240229);  // NOLINT(cert-msc51-cpp): each run is to see the same bytes
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator() & 0xff);
  return bytes;
}

OtherProcess::OtherProcess(const Work& work) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("cannot make a pipe");
  pid_ = ::fork();
  if (pid_ == 0) {
    try {
      work([&] {
        const char done = 'y';
        if (::write(pipe[1], &done, 1) != 1) ::_exit(1);
        while (true) ::pause();
      });
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(1);
  }
  char done = 'n';
  ::close(pipe[1]);
  const bool has_answer = ::read(pipe[0], &done, 1) == 1;
  ::close(pipe[0]);
  if (!has_answer || done != 'y') {
    kill();
    throw std::runtime_error("the other process failed");
  }
}

OtherProcess::~OtherProcess() {
  kill();
}

void OtherProcess::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

OtherProcess keep_open(const std::filesystem::path& path, const std::string& script) {
  return OtherProcess([&](const std::function<void()>& stay) {
    SqliteDatabase database(path);
    database.execute(script);
    stay();
  });
}

int run_in_other_process(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      ::_exit(work());
    } catch (...) {
      ::_exit(255);
    }
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

}  // namespace nerve::test
