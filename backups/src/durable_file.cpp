// SPDX-License-Identifier: Apache-2.0
#include "durable_file.h"

#include "repository_file.h"
#include "written_parts.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"
#include "nerve/crypto/hash.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace nerve::backups {
namespace {

constexpr std::size_t copy_block_bytes = std::size_t{1} << 20;

/// What a device cannot give back is damage, wherever it is read.
[[noreturn]] void throw_read_error(int code, const std::filesystem::path& path) {
  if (code != EIO) throw_system_error(code, "cannot read", path);
  throw IntegrityError(
      fmt::format("cannot read {}: {}", path.string(), std::strerror(code)),
      "The device does not give the file back: look into the kernel's log (dmesg), and copy what is "
      "sound to another device.");
}

}  // namespace

void throw_system_error(int code, std::string_view what, const std::filesystem::path& path) {
  const std::string message = fmt::format("{} {}: {}", what, path.string(), std::strerror(code));
  switch (code) {
    case ENOENT:
      throw NotFoundError(message, "Check the path.");
    case EEXIST:
    case ENOTEMPTY:
      throw ConflictError(message, "Choose another path, or move what stands there.");
    case EACCES:
    case EPERM:
      throw DeniedError(message, "Run it as a user who may write there, or choose another folder.");
    case EROFS:
      throw DeniedError(message, "Choose a folder on a file system that is mounted for writing.");
    case ENOSPC:
    case EDQUOT:
      throw Error(ErrorKind::unavailable, fmt::format("no space left on the device of {}", path.string()),
                  "Free some space there, or choose a folder on another device.");
    default:
      throw Error(ErrorKind::failure, message);
  }
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  for (;;) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (number >= 0) return Descriptor(number);
    if (errno != EINTR) throw_system_error(errno, "cannot open", path);
    // A FIFO that nobody writes to keeps its reader waiting.
    throw_if_interrupted();
  }
}

Descriptor open_unnamed_file(const std::filesystem::path& folder) {
  const int number = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (number >= 0) return Descriptor(number);
  if (errno != EOPNOTSUPP && errno != EISDIR)
    throw_system_error(errno, "cannot make an unnamed file in", folder);
  // File systems such as NFS have no O_TMPFILE.
  std::string name = (folder / ".partial-unnamed-XXXXXX").string();
  Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file.number() < 0) throw_system_error(errno, "cannot make a file in", folder);
  remove_if_there(name);
  return file;
}

bool is_zero(ByteView bytes) noexcept {
  // Each byte is compared with the next.
  return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

void write_bytes(const Descriptor& file, ByteView bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_system_error(errno, "cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void write_at(const Descriptor& file, ByteView bytes, ::off_t offset, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file.number(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_system_error(errno, "cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
}

void read_at(const Descriptor& file, std::span<std::byte> bytes, ::off_t offset,
             const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(file.number(), bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_read_error(errno, path);
    if (count == 0) throw IntegrityError(fmt::format("{} is shorter than it should be", path.string()));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += count;
  }
}

std::size_t read_some(const Descriptor& file, std::span<std::byte> block, const std::filesystem::path& path) {
  for (;;) {
    const ssize_t count = ::read(file.number(), block.data(), block.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw_read_error(errno, path);
    throw_if_interrupted();
  }
}

void sync_descriptor(const Descriptor& file, const std::filesystem::path& path) {
  while (::fsync(file.number()) != 0) {
    if (errno != EINTR) throw_system_error(errno, "cannot sync", path);
  }
}

std::uint64_t size_of(const Descriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) throw_system_error(errno, "cannot look at", path);
  return static_cast<std::uint64_t>(status.st_size);
}

void write_new_file(const std::filesystem::path& path, std::string_view text) {
  write_text_durably(open_repository_file(path, O_RDWR | O_CREAT | O_EXCL, 0600), text, path);
}

void write_text_durably(const Descriptor& file, std::string_view text, const std::filesystem::path& path) {
  write_bytes(file, as_bytes(text), path);
  sync_descriptor(file, path);
  require_kept(file, as_bytes(text), 0, path);
}

std::string read_small_file(const std::filesystem::path& path, std::size_t size_bytes_max) {
  return read_small_file(open_repository_file(path, O_RDONLY), path, size_bytes_max);
}

std::string read_small_file(const Descriptor& file, const std::filesystem::path& path,
                            std::size_t size_bytes_max) {
  if (size_of(file, path) > size_bytes_max) {
    throw IntegrityError(fmt::format("{} is larger than {}", path.string(), format_size(size_bytes_max)));
  }
  std::string text;
  std::array<std::byte, 4096> block{};
  while (const std::size_t count = read_some(file, block, path)) {
    text.append(reinterpret_cast<const char*>(block.data()), count);
    if (text.size() > size_bytes_max)
      throw IntegrityError(fmt::format("{} grows while it is read", path.string()));
  }
  return text;
}

std::vector<std::string> file_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string& path = entry->path().native();
    names.push_back(path.substr(path.rfind('/') + 1));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw_system_error(error.value(), "cannot read the folder", folder);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void sync_file(const std::filesystem::path& path) {
  const Descriptor file = open_file(path, O_RDONLY);
  sync_descriptor(file, path);
}

void sync_folder(const std::filesystem::path& path) {
  const Descriptor folder = open_file(path, O_RDONLY | O_DIRECTORY);
  sync_descriptor(folder, path);
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Descriptor folder = open_folder_of(to, O_RDONLY);
  if (::renameat2(AT_FDCWD, from.c_str(), folder.number(), to.filename().c_str(), 0) != 0) {
    throw_system_error(errno, "cannot rename to", to);
  }
  sync_descriptor(folder, to.parent_path());
}

void remove_if_there(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_system_error(errno, "cannot remove", path);
}

StoredFile describe_file(const std::filesystem::path& path, ProgressSink* progress) {
  return describe_file(open_repository_file(path, O_RDONLY), path, progress);
}

StoredFile describe_file(const Descriptor& file, const std::filesystem::path& path, ProgressSink* progress) {
  const std::uint64_t total_bytes = size_of(file, path);
  StoredFile description{path.filename().string(), 0, {}};
  crypto::Sha256 hash;
  std::vector<std::byte> block(copy_block_bytes);
  while (const std::size_t count = read_some(file, block, path)) {
    throw_if_interrupted();
    hash.update(ByteView(block).first(count));
    description.size_bytes += count;
    if (progress != nullptr) progress->update("hashing", description.size_bytes, total_bytes);
  }
  description.sha256 = to_hex(hash.finish());
  return description;
}

StoredFile copy_file_durably(const std::filesystem::path& from, const Descriptor& to,
                             const std::filesystem::path& to_path, std::string_view phase,
                             ProgressSink* progress) {
  return copy_file_durably(open_repository_file(from, O_RDONLY), from, to, to_path, phase, progress);
}

StoredFile copy_file_durably(const Descriptor& source, const std::filesystem::path& from,
                             const Descriptor& to, const std::filesystem::path& to_path,
                             std::string_view phase, ProgressSink* progress) {
  const std::uint64_t total_bytes = size_of(source, from);
  StoredFile copied{to_path.filename().string(), 0, {}};
  crypto::Sha256 hash;
  std::vector<std::byte> block(copy_block_bytes);
  while (const std::size_t count = read_some(source, block, from)) {
    throw_if_interrupted();
    const ByteView part = ByteView(block).first(count);
    write_bytes(to, part, to_path);
    hash.update(part);
    copied.size_bytes += count;
    if (progress != nullptr) progress->update(phase, copied.size_bytes, total_bytes);
  }
  sync_descriptor(to, to_path);
  copied.sha256 = to_hex(hash.finish());
  return copied;
}

void require_space(const std::filesystem::path& folder, std::uint64_t size_bytes) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) throw_system_error(errno, "cannot look at", folder);
  const std::uint64_t free_bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (free_bytes < size_bytes) {
    throw Error(ErrorKind::unavailable,
                fmt::format("no space left on the device of {}: {} are needed and {} are free",
                            folder.string(), format_size(size_bytes), format_size(free_bytes)),
                "Free some space there, or choose a folder on another device.");
  }
}

}  // namespace nerve::backups
