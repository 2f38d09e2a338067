// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

/// Where a database is about to be written.
namespace nerve::backups {

/// An absolute path without links: a link is followed, so that the file it names is meant and not the link.
/// Throws ConflictError for a link to a file that is missing.
std::filesystem::path resolve_target(const std::filesystem::path& path);

/// Throws ConflictError with `hint` when something stands at `path`, or beside it a -wal, -shm or -journal,
/// from which SQLite would read the transactions of another database.
void require_free_name(const std::filesystem::path& path, const std::string& hint);

/// Throws NotFoundError, or DeniedError with `hint`, when no file can be made in `folder`.
void require_writable_folder(const std::filesystem::path& folder, const std::string& hint);

}  // namespace nerve::backups
