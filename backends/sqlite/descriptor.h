// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

struct sqlite3_mutex;

namespace nerve::sqlite {

/// A file descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  /// Gives the descriptor away: the receiver closes it.
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// A file as the kernel knows it, whatever its name.
struct FileIdentity {
  ::dev_t device = 0;
  ::ino_t inode = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Keeps SQLite in this process from taking up a file, while it lives.
///
/// A process that closes any descriptor of a file drops all locks that it holds of it
/// (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
/// So who takes a descriptor besides SQLite's holds this from is_open_here() until it is closed: SQLite may
/// open the file meanwhile, but before it locks it for the first time it enters the mutex of its unix files,
/// which is this one.
class SqliteFilesPause {
 public:
  SqliteFilesPause() noexcept;
  SqliteFilesPause(const SqliteFilesPause&) = delete;
  SqliteFilesPause& operator=(const SqliteFilesPause&) = delete;
  ~SqliteFilesPause();

 private:
  sqlite3_mutex* mutex_;
};

/// Whether this process has the file open already, by another descriptor than `except`: to close one more of
/// it would drop SQLite's locks. The answer holds as long as a SqliteFilesPause does.
bool is_open_here(const FileIdentity& file, int except = -1) noexcept;

/// Opens for reading and never waits (for the other end of a pipe); falsy, with errno set, where it fails.
Descriptor open_for_reading(const std::filesystem::path& path) noexcept;

}  // namespace nerve::sqlite
