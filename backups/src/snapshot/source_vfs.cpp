// SPDX-License-Identifier: Apache-2.0
#include "snapshot/source_vfs.h"

#include <array>
#include <bit>
#include <cstddef>

namespace nerve::backups {
namespace {

constexpr std::size_t page_size_bytes_min = 512;
constexpr std::size_t page_size_bytes_max = 65536;
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr ::sqlite3_int64 wal_header_bytes = 32;
constexpr ::sqlite3_int64 frame_header_bytes = 24;

/// The beginning of a frame's header: the number of its page, big-endian.
constexpr std::array<std::byte, 4> first_page_number = {std::byte{0}, std::byte{0}, std::byte{0},
                                                        std::byte{1}};

}  // namespace

/// The database or its -wal. The file of the default layer lies behind it.
struct SourceVfs::File : ::sqlite3_file {
  SourceVfs* vfs;
  bool is_wal;

  ::sqlite3_file* base() const noexcept {
    return const_cast<::sqlite3_file*>(reinterpret_cast<const ::sqlite3_file*>(this + 1));
  }
  static File& of(::sqlite3_file* file) noexcept { return *static_cast<File*>(file); }
};

struct SourceVfs::Methods {
  template <auto Function>
  struct Forward;
  template <class Result, class... Arguments,
            Result (*::sqlite3_io_methods::*Function)(::sqlite3_file*, Arguments...)>
  struct Forward<Function> {
    static Result call(::sqlite3_file* file, Arguments... arguments) {
      ::sqlite3_file* base = File::of(file).base();
      return (base->pMethods->*Function)(base, arguments...);
    }
  };

  static int close(::sqlite3_file* file) {
    const int code = Forward<&::sqlite3_io_methods::xClose>::call(file);
    file->pMethods = nullptr;
    return code;
  }

  static int read(::sqlite3_file* file, void* buffer, int size, ::sqlite3_int64 offset) {
    const int code = Forward<&::sqlite3_io_methods::xRead>::call(file, buffer, size, offset);
    File& self = File::of(file);
    if (code == SQLITE_OK && self.vfs->is_watching_) {
      self.vfs->look_at(self, {static_cast<const std::byte*>(buffer), static_cast<std::size_t>(size)},
                        offset);
    }
    return code;
  }

  /// Version 1 has no shared memory, version 2 no memory mapping.
  static constexpr ::sqlite3_io_methods table(int version) {
    using Of = ::sqlite3_io_methods;
    Of methods{};
    methods.iVersion = version;
    methods.xClose = close;
    methods.xRead = read;
    methods.xWrite = Forward<&Of::xWrite>::call;
    methods.xTruncate = Forward<&Of::xTruncate>::call;
    methods.xSync = Forward<&Of::xSync>::call;
    methods.xFileSize = Forward<&Of::xFileSize>::call;
    methods.xLock = Forward<&Of::xLock>::call;
    methods.xUnlock = Forward<&Of::xUnlock>::call;
    methods.xCheckReservedLock = Forward<&Of::xCheckReservedLock>::call;
    methods.xFileControl = Forward<&Of::xFileControl>::call;
    methods.xSectorSize = Forward<&Of::xSectorSize>::call;
    methods.xDeviceCharacteristics = Forward<&Of::xDeviceCharacteristics>::call;
    if (version < 2) return methods;
    methods.xShmMap = Forward<&Of::xShmMap>::call;
    methods.xShmLock = Forward<&Of::xShmLock>::call;
    methods.xShmBarrier = Forward<&Of::xShmBarrier>::call;
    methods.xShmUnmap = Forward<&Of::xShmUnmap>::call;
    return methods;
  }
  static const ::sqlite3_io_methods without_shared_memory;
  static const ::sqlite3_io_methods with_shared_memory;
};

constexpr ::sqlite3_io_methods SourceVfs::Methods::without_shared_memory = table(1);
constexpr ::sqlite3_io_methods SourceVfs::Methods::with_shared_memory = table(2);

SourceVfs::SourceVfs() : ForwardingVfs("source") {
  // Nothing may be thrown while SQLite reads, so the memory is had now.
  first_page_.reserve(page_size_bytes_max);
  functions().szOsFile += static_cast<int>(sizeof(File));
  functions().xOpen = open;
  make_known();
}

int SourceVfs::open(::sqlite3_vfs* vfs, const char* name, ::sqlite3_file* opened, int flags, int* flags_out) {
  auto& self = static_cast<SourceVfs&>(of(vfs));
  if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0) {
    return self.base()->xOpen(self.base(), name, opened, flags, flags_out);
  }
  auto* file = static_cast<File*>(opened);
  file->pMethods = nullptr;
  file->vfs = &self;
  file->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
  const int code = self.base()->xOpen(self.base(), name, file->base(), flags, flags_out);
  // SQLite closes a file that has methods, also where opening it failed.
  if (const ::sqlite3_io_methods* methods = file->base()->pMethods) {
    const bool is_shared = methods->iVersion >= 2 && methods->xShmMap != nullptr;
    file->pMethods = is_shared ? &Methods::with_shared_memory : &Methods::without_shared_memory;
  }
  return code;
}

void SourceVfs::look_at(const File& file, ByteView bytes, ::sqlite3_int64 offset) noexcept {
  // Headers are read alone, too.
  const bool is_page = bytes.size() >= page_size_bytes_min && bytes.size() <= page_size_bytes_max &&
                       std::has_single_bit(bytes.size());
  if (!is_page) return;
  if (file.is_wal) {
    // A frame is a header, which names the page, and the page.
    if (offset < wal_header_bytes + frame_header_bytes) return;
    ::sqlite3_file* base = file.base();
    std::array<std::byte, first_page_number.size()> number{};
    const int code =
        base->pMethods->xRead(base, number.data(), int{number.size()}, offset - frame_header_bytes);
    if (code != SQLITE_OK || number != first_page_number) return;
  } else if (offset != 0) {
    return;
  }
  first_page_.assign(bytes.begin(), bytes.end());
}

}  // namespace nerve::backups
