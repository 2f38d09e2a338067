// SPDX-License-Identifier: Apache-2.0
#include "file_lock.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

namespace nerve::backups {
namespace {

constexpr std::chrono::milliseconds pause_first{1};
constexpr std::chrono::milliseconds pause_longest{32};

/// False when somebody else holds a lock.
bool try_lock(const Descriptor& file, int operation, const std::filesystem::path& path) {
  while (::flock(file.number(), operation | LOCK_NB) != 0) {
    switch (errno) {
      case EWOULDBLOCK:
        return false;
      case EINTR:
        break;
      case ENOLCK:
      case ENOSYS:
      case EOPNOTSUPP:
        throw UnsupportedError(fmt::format("the file system of {} has no file locks", path.string()),
                               "Use a folder on another file system.");
      default:
        throw_system_error(errno, "cannot lock", path);
    }
  }
  return true;
}

/// Asks again and again instead of waiting in flock(2): a signal that comes just before that call would be
/// seen only when the lock is free.
void lock(const Descriptor& file, int operation, const std::filesystem::path& path) {
  std::chrono::milliseconds pause = pause_first;
  while (!try_lock(file, operation, path)) {
    throw_if_interrupted();
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, pause_longest);
  }
}

}  // namespace

void lock_shared(const Descriptor& file, const std::filesystem::path& path) {
  lock(file, LOCK_SH, path);
}

void lock_exclusive(const Descriptor& file, const std::filesystem::path& path) {
  lock(file, LOCK_EX, path);
}

bool try_lock_exclusive(const Descriptor& file, const std::filesystem::path& path) {
  return try_lock(file, LOCK_EX, path);
}

bool is_at(const Descriptor& file, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.number(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace nerve::backups
