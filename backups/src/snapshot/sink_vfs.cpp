// SPDX-License-Identifier: Apache-2.0
#include "snapshot/sink_vfs.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace nerve::backups {
namespace {

/// With larger sectors SQLite would write the neighbours of a page along with it.
constexpr int sector_bytes = 512;

}  // namespace

struct SinkVfs::File : ::sqlite3_file {
  SinkVfs* vfs;

  static SinkVfs& vfs_of(::sqlite3_file* file) noexcept { return *static_cast<File*>(file)->vfs; }
};

struct SinkVfs::Methods {
  static int read(::sqlite3_file* file, void* buffer, int size, ::sqlite3_int64 offset) {
    // What was written is gone; nobody who copies reads it again.
    if (std::cmp_less(offset, File::vfs_of(file).sink_.size_bytes())) return SQLITE_IOERR_READ;
    std::memset(buffer, 0, static_cast<std::size_t>(size));
    return SQLITE_IOERR_SHORT_READ;
  }
  static int write(::sqlite3_file* file, const void* bytes, int size, ::sqlite3_int64 offset) {
    return File::vfs_of(file).write({static_cast<const std::byte*>(bytes), static_cast<std::size_t>(size)},
                                    offset);
  }
  static int file_size(::sqlite3_file* file, ::sqlite3_int64* size) {
    *size = static_cast<::sqlite3_int64>(File::vfs_of(file).sink_.size_bytes());
    return SQLITE_OK;
  }
  static int check_reserved_lock(::sqlite3_file*, int* is_reserved) {
    *is_reserved = 0;
    return SQLITE_OK;
  }

  static const ::sqlite3_io_methods table;
};

constexpr ::sqlite3_io_methods SinkVfs::Methods::table = [] {
  ::sqlite3_io_methods methods{};
  methods.iVersion = 1;
  methods.xClose = [](::sqlite3_file*) { return SQLITE_OK; };
  methods.xRead = read;
  methods.xWrite = write;
  // SQLite cuts the file to the size that it has.
  methods.xTruncate = [](::sqlite3_file*, ::sqlite3_int64) { return SQLITE_OK; };
  methods.xSync = [](::sqlite3_file*, int) { return SQLITE_OK; };
  methods.xFileSize = file_size;
  methods.xLock = [](::sqlite3_file*, int) { return SQLITE_OK; };
  methods.xUnlock = [](::sqlite3_file*, int) { return SQLITE_OK; };
  methods.xCheckReservedLock = check_reserved_lock;
  methods.xFileControl = [](::sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
  methods.xSectorSize = [](::sqlite3_file*) { return sector_bytes; };
  methods.xDeviceCharacteristics = [](::sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
  return methods;
}();

SinkVfs::SinkVfs(PageSink& sink) : ForwardingVfs("sink"), sink_(sink) {
  functions().szOsFile = static_cast<int>(sizeof(File));
  functions().xOpen = open;
  functions().xFullPathname = [](::sqlite3_vfs*, const char* name, int size, char* full) {
    ::sqlite3_snprintf(size, full, "%s", name);
    return SQLITE_OK;
  };
  functions().xAccess = [](::sqlite3_vfs*, const char*, int, int* is_there) {
    *is_there = 0;
    return SQLITE_OK;
  };
  functions().xDelete = [](::sqlite3_vfs*, const char*, int) { return SQLITE_OK; };
  make_known();
}

void SinkVfs::rethrow_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

int SinkVfs::open(::sqlite3_vfs* vfs, const char*, ::sqlite3_file* opened, int flags, int* flags_out) {
  opened->pMethods = nullptr;
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return SQLITE_CANTOPEN;
  static_cast<File*>(opened)->vfs = &static_cast<SinkVfs&>(of(vfs));
  opened->pMethods = &Methods::table;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int SinkVfs::write(ByteView bytes, ::sqlite3_int64 offset) noexcept {
  if (failure_) return SQLITE_IOERR_WRITE;
  try {
    sink_.write(bytes, static_cast<std::uint64_t>(offset));
    return SQLITE_OK;
  } catch (...) {
    failure_ = std::current_exception();
    return SQLITE_IOERR_WRITE;
  }
}

}  // namespace nerve::backups
