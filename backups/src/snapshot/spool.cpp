// SPDX-License-Identifier: Apache-2.0
#include "snapshot/spool.h"

#include "written_parts.h"

#include "nerve/backends/sqlite/errors.h"
#include "nerve/core/bytes.h"
#include "nerve/core/interrupt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace nerve::backups {
namespace {

/// A multiple of every page size.
constexpr std::size_t block_bytes = std::size_t{1} << 20;

std::uint64_t size_of(const SnapshotShape& shape) noexcept {
  return std::uint64_t{shape.page_count} * shape.page_size_bytes;
}

/// A file in `folder` that never has a name; nothing where that is not possible.
std::optional<Descriptor> make_unnamed_file(const std::filesystem::path& folder) {
  const int number = ::open(folder.c_str(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (number < 0) return std::nullopt;
  return Descriptor(number);
}

bool has_room(const Descriptor& file, std::uint64_t size_bytes) noexcept {
  struct statvfs status {};
  if (::fstatvfs(file.number(), &status) != 0) return false;
  return std::uint64_t{status.f_bavail} * status.f_frsize / 2 >= size_bytes;
}

bool write_at(const Descriptor& file, ByteView bytes, std::uint64_t offset) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file.number(), bytes.data(), bytes.size(), static_cast<::off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

/// Throws where the file ends or cannot be read. `database` is what it is a copy of.
void read_at(const Descriptor& file, std::span<std::byte> bytes, std::uint64_t offset,
             const std::filesystem::path& database) {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(file.number(), bytes.data(), bytes.size(), static_cast<::off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw_system_error(count < 0 ? errno : EIO, "cannot read the copy of", database);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

/// The part of a file of `size_bytes` that begins at `offset`, as far as it fits the block.
std::span<std::byte> part_of(std::span<std::byte> block, std::uint64_t offset, std::uint64_t size_bytes) {
  return block.first(static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_bytes - offset)));
}

}  // namespace

std::optional<Spool> Spool::copy(sqlite::Session& source, const SnapshotShape& shape) {
  std::optional<Descriptor> file = make_unnamed_file(source.path().parent_path());
  const std::uint64_t size_bytes = size_of(shape);
  if (!file || !has_room(*file, size_bytes)) return std::nullopt;
  // SQLite's own descriptor: to close another one would drop the lock, as POSIX has it.
  ::sqlite3_file* database = nullptr;
  const int found = ::sqlite3_file_control(source.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &database);
  if (found != SQLITE_OK) sqlite::throw_sqlite_error(found, "cannot read", source.path());
  // A hole of the database stays one.
  if (::ftruncate(file->number(), static_cast<::off_t>(size_bytes)) != 0) return std::nullopt;
  std::vector<BlockChecksum> checksums;
  checksums.reserve(static_cast<std::size_t>(size_bytes / block_bytes + 1));
  Bytes block(block_bytes);
  for (std::uint64_t offset = 0; offset < size_bytes; offset += block_bytes) {
    throw_if_interrupted();
    const std::span<std::byte> part = part_of(block, offset, size_bytes);
    const int read = database->pMethods->xRead(database, part.data(), static_cast<int>(part.size()),
                                               static_cast<::sqlite3_int64>(offset));
    if (read != SQLITE_OK) sqlite::throw_sqlite_error(read, "cannot read", source.path());
    checksums.emplace_back(part);
    if (!is_zero(part) && !write_at(*file, part, offset)) return std::nullopt;
  }
  return Spool(std::move(*file), std::move(checksums), shape, source.path());
}

void Spool::read_pages(const TakePage& take) const {
  const std::uint64_t size_bytes = size_of(shape_);
  const Bytes lock_page(shape_.page_size_bytes);
  Bytes block(block_bytes);
  std::uint32_t number = 1;
  for (std::uint64_t offset = 0; offset < size_bytes; offset += block_bytes) {
    const std::span<std::byte> part = part_of(block, offset, size_bytes);
    read_at(file_, part, offset, database_);
    if (BlockChecksum(part) != checksums_[static_cast<std::size_t>(offset / block_bytes)]) {
      throw NotKeptError(fmt::format("the copy aside of {} (from byte {} on)", database_.string(), offset));
    }
    for (std::size_t begin = 0; begin < part.size(); begin += shape_.page_size_bytes, ++number) {
      throw_if_interrupted();
      const bool is_lock_page = number == shape_.lock_page();
      take(number, is_lock_page ? ByteView(lock_page) : part.subspan(begin, shape_.page_size_bytes));
    }
  }
}

}  // namespace nerve::backups
