// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/core/bytes.h"
#include "nerve/core/progress.h"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Files whose content must be on disk before the next step may be taken.
namespace nerve::backups {

/// Throws the Error that fits an errno: DeniedError, NotFoundError, ConflictError, no space (unavailable), or
/// a failure. `what` is what was being done, such as "cannot write".
[[noreturn]] void throw_system_error(int code, std::string_view what, const std::filesystem::path& path);

/// An open file that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int number() const noexcept { return number_; }

 private:
  int number_ = -1;
};

/// open(2) with O_CLOEXEC; throws where it fails. Of a file in a repository that may be somebody else's,
/// open_repository_file() is the one to use.
Descriptor open_file(const std::filesystem::path& path, int flags, mode_t mode = 0);

/// A new file (mode 0600) in `folder` that has no name and is gone when it is closed.
Descriptor open_unnamed_file(const std::filesystem::path& folder);

/// Whether all of `bytes`, one at least, are zero, so that a hole can stand for them.
bool is_zero(ByteView bytes) noexcept;

/// Writes all of `bytes` at the file's position, or at `offset`.
void write_bytes(const Descriptor& file, ByteView bytes, const std::filesystem::path& path);
void write_at(const Descriptor& file, ByteView bytes, ::off_t offset, const std::filesystem::path& path);

/// Reads what is next in the file; 0 at its end.
std::size_t read_some(const Descriptor& file, std::span<std::byte> block, const std::filesystem::path& path);

/// Fills `bytes` from `offset` on. Throws IntegrityError where the file ends before.
void read_at(const Descriptor& file, std::span<std::byte> bytes, ::off_t offset,
             const std::filesystem::path& path);

void sync_descriptor(const Descriptor& file, const std::filesystem::path& path);
std::uint64_t size_of(const Descriptor& file, const std::filesystem::path& path);

/// Makes a file of a repository that must not exist (mode 0600), writes `text`, syncs it and reads it back.
/// Throws NotKeptError.
void write_new_file(const std::filesystem::path& path, std::string_view text);

/// Writes `text` to the empty file at `path`, which is open for reading, too; syncs it and reads it back.
void write_text_durably(const Descriptor& file, std::string_view text, const std::filesystem::path& path);

/// The whole of a small file of a repository. Throws IntegrityError when it is larger than `size_bytes_max`.
std::string read_small_file(const std::filesystem::path& path, std::size_t size_bytes_max);
/// The same of an open file, from its position on.
std::string read_small_file(const Descriptor& file, const std::filesystem::path& path,
                            std::size_t size_bytes_max);

/// The names of what is in a folder, sorted. A folder that is not there holds nothing.
std::vector<std::string> file_names(const std::filesystem::path& folder);

void sync_file(const std::filesystem::path& path);
void sync_folder(const std::filesystem::path& path);

/// rename(2) within one repository, then a sync of the folder that `to` is in.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Removes a file; that it is not there is no error.
void remove_if_there(const std::filesystem::path& path);

/// Name, size and SHA-256 of a file of a repository, or of the open file `file` at `path`, whose position is
/// its beginning. Interruptible.
StoredFile describe_file(const std::filesystem::path& path, ProgressSink* progress);
StoredFile describe_file(const Descriptor& file, const std::filesystem::path& path, ProgressSink* progress);

/// Copies a file of a repository, or the open file `source` at `from`, to the open, empty file `to` (at
/// `to_path`), syncs it, and describes what was written. Interruptible.
StoredFile copy_file_durably(const std::filesystem::path& from, const Descriptor& to,
                             const std::filesystem::path& to_path, std::string_view phase,
                             ProgressSink* progress);
StoredFile copy_file_durably(const Descriptor& source, const std::filesystem::path& from,
                             const Descriptor& to, const std::filesystem::path& to_path,
                             std::string_view phase, ProgressSink* progress);

/// Throws an Error of kind unavailable when fewer than `size_bytes` are free for us where `folder` is.
void require_space(const std::filesystem::path& folder, std::uint64_t size_bytes);

}  // namespace nerve::backups
