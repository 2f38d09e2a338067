// SPDX-License-Identifier: Apache-2.0
#include "written_parts.h"

#include "nerve/core/interrupt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
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

/// Reads a synced file from its beginning on, by way of no cache: that takes a tenth of the processor's time.
/// Where the file system cannot do that (EINVAL), what is in the cache is dropped first.
class DeviceReader {
 public:
  explicit DeviceReader(const std::filesystem::path& path)
      : path_(path), block_(static_cast<std::byte*>(std::aligned_alloc(alignment, block_bytes))) {
    if (!block_) throw std::bad_alloc();
    constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    file_ = Descriptor(::open(path.c_str(), flags | O_DIRECT));
    if (file_.number() >= 0) return;
    file_ = open_file(path, flags);
    drop_from_cache(file_);
  }

  const Descriptor& file() const noexcept { return file_; }

  void read(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
      if (left_.empty()) fill();
      const std::size_t count = std::min(left_.size(), bytes.size());
      std::memcpy(bytes.data(), left_.data(), count);
      left_ = left_.subspan(count);
      bytes = bytes.subspan(count);
    }
  }

 private:
  /// Of what file systems and devices want.
  static constexpr std::size_t alignment = 4096;
  static constexpr std::size_t block_bytes = std::size_t{1} << 20U;

  struct Free {
    void operator()(std::byte* block) const noexcept { std::free(block); }
  };

  void fill() {
    // An offset that is no multiple, after a short read, is refused as one with a wrong alignment.
    const ssize_t count = ::pread(file_.number(), block_.get(), block_bytes, static_cast<::off_t>(offset_));
    if (count > 0) {
      left_ = ByteView(block_.get(), static_cast<std::size_t>(count));
      offset_ += static_cast<std::uint64_t>(count);
      return;
    }
    if (count < 0 && errno == EINTR) return;
    if (count < 0 && errno == EINVAL && !is_cached_) {
      is_cached_ = true;
      file_ = open_file(path_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      drop_from_cache(file_);
      return;
    }
    throw Error(ErrorKind::integrity,
                fmt::format("cannot read {} back: {}", path_.string(),
                            count < 0 ? std::strerror(errno) : "it is shorter than it was"),
                "Look into the kernel's log (dmesg), and write to another device.");
  }

  std::filesystem::path path_;
  Descriptor file_;
  std::unique_ptr<std::byte, Free> block_;
  ByteView left_;  ///< of the block: what was not handed out yet
  std::uint64_t offset_ = 0;
  bool is_cached_ = false;
};

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
  DeviceReader reader(path);
  std::uint64_t size_bytes = 0;
  for (const BlockChecksum& part : parts_) size_bytes += part.size_bytes();
  require_size(reader.file(), path, size_bytes);
  Bytes block;
  std::uint64_t offset = 0;
  for (const BlockChecksum& part : parts_) {
    throw_if_interrupted();
    const auto part_bytes = static_cast<std::size_t>(part.size_bytes());
    if (block.size() < part_bytes) block.resize(part_bytes);
    const std::span<std::byte> read = std::span(block).first(part_bytes);
    reader.read(read);
    if (BlockChecksum(read) != part) {
      throw NotKeptError(fmt::format("{} (from byte {} on)", path.string(), offset));
    }
    offset += part_bytes;
  }
}

}  // namespace nerve::backups
