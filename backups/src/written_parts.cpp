// SPDX-License-Identifier: Apache-2.0
#include "written_parts.h"

#include "nerve/core/interrupt.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace nerve::backups {
namespace {

/// What cannot be read is no damage of a database either.
void read_back(const Descriptor& file, std::span<std::byte> bytes, ::off_t offset,
               const std::filesystem::path& path) {
  try {
    read_at(file, bytes, offset, path);
  } catch (const IntegrityError& error) {
    throw Error(error.kind(), error.what(), error.hint());
  }
}

}  // namespace

NotKeptError::NotKeptError(const std::string& what)
    : Error(ErrorKind::integrity,
            fmt::format("{} is not what was written: the device does not keep what it is given", what),
            "Look into the kernel's log (dmesg), and write to another device.") {}

void drop_from_cache(const Descriptor& file) noexcept {
  ::posix_fadvise(file.number(), 0, 0, POSIX_FADV_DONTNEED);
  ::posix_fadvise(file.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

void require_size(const Descriptor& file, const std::filesystem::path& path, std::uint64_t size_bytes) {
  const std::uint64_t there = size_of(file, path);
  if (there == size_bytes) return;
  throw NotKeptError(fmt::format("{} ({} bytes instead of {})", path.string(), there, size_bytes));
}

void require_kept(const Descriptor& file, ByteView written, ::off_t offset,
                  const std::filesystem::path& path) {
  drop_from_cache(file);
  Bytes read(written.size());
  read_back(file, read, offset, path);
  if (!std::ranges::equal(read, written)) throw NotKeptError(path.string());
}

void WrittenParts::compare(const std::filesystem::path& path) const {
  const Descriptor file = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  std::uint64_t size_bytes = 0;
  for (const BlockChecksum& part : parts_) size_bytes += part.size_bytes();
  require_size(file, path, size_bytes);
  drop_from_cache(file);
  Bytes block;
  std::uint64_t offset = 0;
  for (const BlockChecksum& part : parts_) {
    throw_if_interrupted();
    const auto part_bytes = static_cast<std::size_t>(part.size_bytes());
    if (block.size() < part_bytes) block.resize(part_bytes);
    const std::span<std::byte> read = std::span(block).first(part_bytes);
    read_back(file, read, static_cast<::off_t>(offset), path);
    if (BlockChecksum(read) != part) {
      throw NotKeptError(fmt::format("{} (from byte {} on)", path.string(), offset));
    }
    offset += part_bytes;
  }
}

}  // namespace nerve::backups
