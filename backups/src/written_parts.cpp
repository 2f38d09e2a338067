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
#include <utility>

namespace nerve::backups {
namespace {

/// How far behind the end of a file that is being written it is read: less would wait for the device.
constexpr std::uint64_t behind_bytes = std::uint64_t{16} << 20U;

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

/// Reads a file from its beginning on, by way of no cache: that takes a tenth of the processor's time.
/// Where the file system cannot do that (EINVAL), what is in the cache is dropped first.
class DeviceReader {
 public:
  static constexpr std::size_t block_bytes = std::size_t{1} << 20U;

  explicit DeviceReader(const std::filesystem::path& path)
      : path_(path), block_(static_cast<std::byte*>(std::aligned_alloc(alignment, block_bytes))) {
    if (!block_) throw std::bad_alloc();
    constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    file_ = Descriptor(::open(path.c_str(), flags | O_DIRECT));
    if (file_.number() >= 0) return;
    is_direct_ = false;
    file_ = open_file(path, flags);
    drop_from_cache(file_);
  }

  /// Reads by way of the cache, from which each block is dropped when it is on the device: on most file
  /// systems a read past the cache keeps writers of the file out as long as it takes.
  void follow_writer() { following_ = open_file(path_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK); }
  void end_following() noexcept { following_ = Descriptor(); }

  const Descriptor& file() const noexcept { return file_; }
  /// Whether all that was read came from the device.
  bool is_direct() const noexcept { return is_direct_; }

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

  struct Free {
    void operator()(std::byte* block) const noexcept { std::free(block); }
  };

  void fill() {
    // An offset that is no multiple, after a short read, is refused as one with a wrong alignment.
    const bool is_following = following_.number() >= 0;
    if (is_following) settle_block();
    const int number = is_following ? following_.number() : file_.number();
    const ssize_t count = ::pread(number, block_.get(), block_bytes, static_cast<::off_t>(offset_));
    if (count > 0) {
      left_ = ByteView(block_.get(), static_cast<std::size_t>(count));
      offset_ += static_cast<std::uint64_t>(count);
      return;
    }
    if (count < 0 && errno == EINTR) return;
    if (count < 0 && errno == EINVAL && is_direct_) {
      is_direct_ = false;
      file_ = open_file(path_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      drop_from_cache(file_);
      return;
    }
    throw Error(ErrorKind::integrity,
                fmt::format("cannot read {} back: {}", path_.string(),
                            count < 0 ? std::strerror(errno) : "it is shorter than it was"),
                "Look into the kernel's log (dmesg), and write to another device.");
  }

  void settle_block() {
    const auto offset = static_cast<::off64_t>(offset_);
    constexpr unsigned wait_for_all =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    // What is not on the device would stay in the cache, and be read from there.
    if (::sync_file_range(following_.number(), offset, block_bytes, wait_for_all) != 0) is_direct_ = false;
    ::posix_fadvise(following_.number(), offset, block_bytes, POSIX_FADV_DONTNEED);
  }

  std::filesystem::path path_;
  Descriptor file_;
  Descriptor following_;
  std::unique_ptr<std::byte, Free> block_;
  ByteView left_;  ///< of the block: what was not handed out yet
  std::uint64_t offset_ = 0;
  bool is_direct_ = true;
};

/// Reads the parts in the order in which they were written.
class WrittenParts::Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), device_(path) {}

  void follow_writer() { device_.follow_writer(); }
  void end_following() noexcept { device_.end_following(); }

  const Descriptor& file() const noexcept { return device_.file(); }
  bool is_direct() const noexcept { return device_.is_direct(); }
  std::uint64_t offset() const noexcept { return offset_; }

  void compare(const BlockChecksum& part) {
    const auto part_bytes = static_cast<std::size_t>(part.size_bytes());
    if (block_.size() < part_bytes) block_.resize(part_bytes);
    const std::span<std::byte> read = std::span(block_).first(part_bytes);
    device_.read(read);
    if (BlockChecksum(read) != part) {
      throw NotKeptError(fmt::format("{} (from byte {} on)", path_.string(), offset_));
    }
    offset_ += part_bytes;
  }

 private:
  std::filesystem::path path_;
  DeviceReader device_;
  Bytes block_;
  std::uint64_t offset_ = 0;
};

WrittenParts::WrittenParts(std::filesystem::path path) : path_(std::move(path)) {}

WrittenParts::~WrittenParts() {
  stop();
}

void WrittenParts::add(ByteView part) {
  const BlockChecksum checksum(part);
  bool is_large = false;
  {
    const std::lock_guard lock(mutex_);
    parts_.push_back(checksum);
    written_bytes_ += part.size();
    is_large = settled_bytes() > 0;
  }
  if (is_large && !reader_) {
    reader_ = std::make_unique<Reader>(path_);
    if (reader_->is_direct()) {
      reader_->follow_writer();
      thread_ = std::thread([this] { follow(); });
    }
  }
  changed_.notify_one();
}

/// Whole blocks, and so far behind that their writing has begun.
std::uint64_t WrittenParts::settled_bytes() const noexcept {
  if (written_bytes_ < behind_bytes) return 0;
  return (written_bytes_ - behind_bytes) / DeviceReader::block_bytes * DeviceReader::block_bytes;
}

void WrittenParts::follow() {
  try {
    compare_settled();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
}

void WrittenParts::compare_settled() {
  for (;;) {
    BlockChecksum part;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] {
        return is_stopped_ || (compared_ < parts_.size() &&
                               reader_->offset() + parts_[compared_].size_bytes() <= settled_bytes());
      });
      if (is_stopped_) return;
      part = parts_[compared_];
    }
    reader_->compare(part);
    // What was read by way of the cache says nothing of the device before the file is synced.
    if (!reader_->is_direct()) return;
    ++compared_;
  }
}

void WrittenParts::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void WrittenParts::compare() {
  stop();
  if (failure_) std::rethrow_exception(failure_);
  if (!reader_ || !reader_->is_direct()) {
    reader_ = std::make_unique<Reader>(path_);
    compared_ = 0;
  }
  reader_->end_following();
  require_size(reader_->file(), path_, written_bytes_);
  for (; compared_ < parts_.size(); ++compared_) {
    throw_if_interrupted();
    reader_->compare(parts_[compared_]);
  }
}

}  // namespace nerve::backups
