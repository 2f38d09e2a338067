// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"

#include "nerve/core/error.h"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

/// Files inside a repository, where somebody else may have put a link, a FIFO or a device in their place.
///
/// The folder of the repository may be a symbolic link that its user made. What is beneath it may not:
/// neither a file nor the folder of a backup. All of these functions throw DamagedRepositoryError, which
/// names the path and what stands there, and none of them waits.
namespace nerve::backups {

/// What is wrong is the repository and no database, and the hint says what to do about that.
class DamagedRepositoryError : public IntegrityError {
 public:
  using IntegrityError::IntegrityError;
};

/// The folder that `path` is in, opened with O_DIRECTORY and `flags`.
Descriptor open_folder_of(const std::filesystem::path& path, int flags);

/// open(2) of a regular file, with O_CLOEXEC, O_NOFOLLOW and O_NONBLOCK; throws where it fails.
Descriptor open_repository_file(const std::filesystem::path& path, int flags, ::mode_t mode = 0);

/// The same in a folder that open_folder_of() opened, so that several of its files take one look at it.
Descriptor open_repository_file(const Descriptor& folder, const std::filesystem::path& path, int flags,
                                ::mode_t mode = 0);

/// The size of a regular file, without opening it.
std::uint64_t repository_file_bytes(const std::filesystem::path& path);
std::uint64_t repository_file_bytes(const Descriptor& folder, const std::filesystem::path& path);

/// Whether anything has this name in an open folder; also where that cannot be told.
bool has_name(const Descriptor& folder, std::string_view name);

/// Throws DamagedRepositoryError where the open file has a second name (a hard link): what is written to it
/// would be written to another file, too.
void require_one_name(const Descriptor& file, const std::filesystem::path& path);

/// Removes a file; that it is not there is no error.
void remove_repository_file(const std::filesystem::path& path);

}  // namespace nerve::backups
