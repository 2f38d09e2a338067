// SPDX-License-Identifier: Apache-2.0
#include "sqlite/descriptor.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace nerve::sqlite {

namespace {

/// How many descriptors are tried where /proc is not mounted: the usual limit of a process.
constexpr int descriptors_tried = 1024;

/// Whether a descriptor of this process is one of that file.
bool is_open_as(int number, const FileIdentity& file) noexcept {
  struct stat status {};
  return ::fstat(number, &status) == 0 && FileIdentity{status.st_dev, status.st_ino} == file;
}

}  // namespace

SqliteFilesPause::SqliteFilesPause() noexcept : mutex_(sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS1)) {
  sqlite3_mutex_enter(mutex_);
}

SqliteFilesPause::~SqliteFilesPause() {
  sqlite3_mutex_leave(mutex_);
}

bool is_open_here(const FileIdentity& file, int except) noexcept {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), &::closedir);
  if (!folder) {
    for (int number = 0; number < descriptors_tried; ++number) {
      if (number != except && is_open_as(number, file)) return true;
    }
    return false;
  }
  while (const dirent* entry = ::readdir(folder.get())) {
    int number = -1;
    std::from_chars(entry->d_name, entry->d_name + std::strlen(entry->d_name), number);
    if (number >= 0 && number != except && is_open_as(number, file)) return true;
  }
  return false;
}

Descriptor open_for_reading(const std::filesystem::path& path) noexcept {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

}  // namespace nerve::sqlite
