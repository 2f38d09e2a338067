// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

/// The file nerve-repository.json, which says that a folder is a repository and is its lock
/// (docs/backup_repository.md).
namespace nerve::backups {

bool has_marker(const std::filesystem::path& repository);

/// Throws IntegrityError for a marker that is damaged, with the hint that mends it, and UnsupportedError for
/// one of an unknown format.
void require_known_marker(const std::filesystem::path& repository);

/// Makes the marker where there is none; several processes may try at once.
void make_marker(const std::filesystem::path& repository);

/// Writes the marker anew in place, since its file is the lock of those that have it open: waits until none
/// of them is at work.
void rewrite_marker(const std::filesystem::path& repository);

/// The command that mends a marker, as a sentence.
std::string repair_hint(const std::filesystem::path& repository);

}  // namespace nerve::backups
