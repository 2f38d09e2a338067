// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

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

/// Whether this process has the file open already: to close another descriptor of it would drop SQLite's
/// locks.
bool is_open_here(const FileIdentity& file) noexcept;

/// Opens for reading and never waits (for the other end of a pipe); falsy, with errno set, where it fails.
Descriptor open_for_reading(const std::filesystem::path& path) noexcept;

}  // namespace nerve::sqlite
