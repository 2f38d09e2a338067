// SPDX-License-Identifier: Apache-2.0
#include "file_lock.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

namespace nerve::backups {
namespace {

bool lock(const Descriptor& file, int operation, const std::filesystem::path& path) {
  while (::flock(file.number(), operation) != 0) {
    switch (errno) {
      case EWOULDBLOCK:
        return false;
      case EINTR:
        throw_if_interrupted();
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

}  // namespace

void lock_shared(const Descriptor& file, const std::filesystem::path& path) {
  lock(file, LOCK_SH, path);
}

void lock_exclusive(const Descriptor& file, const std::filesystem::path& path) {
  lock(file, LOCK_EX, path);
}

bool try_lock_exclusive(const Descriptor& file, const std::filesystem::path& path) {
  return lock(file, LOCK_EX | LOCK_NB, path);
}

bool is_at(const Descriptor& file, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.number(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace nerve::backups
