// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/update_file.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace nerve {

namespace {

constexpr mode_t owner_only = 0600;

[[noreturn]] void fail(int code, const std::string& what, const std::filesystem::path& path,
                       const std::string& hint) {
  const std::string message = what + " " + path.string() + ": " + std::strerror(code);
  if (code == ENOENT || code == ENOTDIR) throw NotFoundError(message, hint);
  if (code == EACCES || code == EPERM || code == EROFS) throw DeniedError(message, hint);
  throw Error(ErrorKind::unavailable, message, hint);
}

/// The file that is written, under its lock, until it has taken the place of the old one or is given up.
class PartialFile {
 public:
  PartialFile(const std::filesystem::path& path, const std::string& hint)
      : path_(path.parent_path() / ("." + path.filename().string() + ".partial")), hint_(hint) {
    // Whoever had the lock before may have renamed or removed the file that was opened.
    while (descriptor_ < 0) take();
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    if (!is_in_place_) ::unlink(path_.c_str());
    ::close(descriptor_);
  }

  /// What an aborted run may have left in it goes.
  void clear() {
    if (::ftruncate(descriptor_, 0) != 0) fail(errno, "cannot write", path_, hint_);
  }

  void append(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(errno, "cannot write", path_, hint_);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void finish(mode_t mode) {
    if (::fchmod(descriptor_, mode) != 0) fail(errno, "cannot set the mode of", path_, hint_);
    if (::fsync(descriptor_) != 0) fail(errno, "cannot sync", path_, hint_);
  }

  void put_in_place(const std::filesystem::path& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) fail(errno, "cannot replace", path, hint_);
    is_in_place_ = true;
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = opened >= 0 && ::fsync(opened) == 0;
    const int code = errno;
    if (opened >= 0) ::close(opened);
    if (!is_synced) fail(code, "cannot sync the folder", folder, hint_);
  }

 private:
  void take() {
    const int opened = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, owner_only);
    if (opened < 0) fail(errno, "cannot make", path_, hint_);
    while (::flock(opened, LOCK_EX) != 0) {
      const int code = errno;
      if (code == EINTR && !interrupted()) continue;
      ::close(opened);
      throw_if_interrupted();
      fail(code, "cannot lock", path_, hint_);
    }
    struct stat held {};
    struct stat named {};
    const bool is_at_path = ::fstat(opened, &held) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
                            held.st_dev == named.st_dev && held.st_ino == named.st_ino;
    if (is_at_path) {
      descriptor_ = opened;
    } else {
      ::close(opened);
    }
  }

  std::filesystem::path path_;
  const std::string& hint_;
  int descriptor_ = -1;
  bool is_in_place_ = false;
};

std::optional<std::string> text_of(const std::filesystem::path& path, const FileUpdate& options) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  if (descriptor < 0) fail(errno, "cannot read", path, options.hint);
  std::string text;
  std::array<char, 4096> block{};
  int code = 0;
  for (;;) {
    const ssize_t count = ::read(descriptor, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) code = errno;
    if (count <= 0 || text.size() > options.size_bytes_max) break;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  ::close(descriptor);
  if (code != 0) fail(code, "cannot read", path, options.hint);
  if (text.size() > options.size_bytes_max) {
    throw IntegrityError(path.string() + " is larger than " + format_size(options.size_bytes_max),
                         options.hint);
  }
  return text;
}

}  // namespace

void update_file(const std::filesystem::path& path, const FileUpdate& options,
                 const std::function<std::string(const std::optional<std::string>& text)>& change) {
  PartialFile partial(path, options.hint);
  const std::optional<std::string> before = text_of(path, options);
  const std::string after = change(before);
  if (before == after) return;
  partial.clear();
  partial.append(after);
  partial.finish(options.mode);
  partial.put_in_place(path);
}

void write_file(const std::filesystem::path& path, const FileUpdate& options,
                const std::function<void(const FileSink& sink)>& produce) {
  PartialFile partial(path, options.hint);
  partial.clear();
  produce([&](std::string_view piece) { partial.append(piece); });
  partial.finish(options.mode);
  partial.put_in_place(path);
}

}  // namespace nerve
