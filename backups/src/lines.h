// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The histories of databases. One path can stand for several databases: one after the other, or two machines
/// that share a repository. Their backups belong to different lines, which never mix
/// (docs/backup_repository.md, "Lines").
namespace nerve::backups {

/// The backups of one history that were good when they were made.
struct Line {
  std::optional<LineId> id;  ///< as the manifests have it
  Manifest newest;
  std::int64_t first_sequence = 0;
  std::vector<FileIdentity> files;  ///< those that it was made of
};

/// Whether a backup belongs to a line of the database with this name.
bool is_of(const Manifest& manifest, std::string_view source, const std::optional<LineId>& line);

/// The lines of a database, the one with the newest backup first.
std::vector<Line> lines_of(std::span<const Entry> entries, std::string_view source);

/// The line of the file that stands at `database` now. The only one where there is one; absent where there
/// are several and the file is of none. A restore notes in `repository` what it put in place.
std::optional<Line> line_at(const std::filesystem::path& database, const Repository& repository,
                            const std::vector<Line>& lines);

/// Whether numbers were given twice in a history: its first repository was lost, and an older nerve-db began
/// at 1 again. What consolidation made of a backup has its number and its time.
bool has_restarted(std::span<const Manifest> manifests);

/// Which line a backup belongs to.
struct LineChoice {
  std::optional<LineId> id;  ///< as its manifest is to have it
  bool is_new = false;       ///< it begins with this backup
  std::string note;          ///< what the user should know of it; empty where there is nothing
};

/// The line that the next backup of a database belongs to. Another file with fewer than half of the pages of
/// the last backup is another database, and begins a new line, which is `first` then. Throws what reading
/// both may throw.
LineChoice choose_line(const sqlite::FileFacts& facts, const std::optional<FileIdentity>& identity,
                       const Repository& repository, std::span<const Entry> entries,
                       const BackupOptions& options, Keyring& keyring, const BackupId& first);

/// Leaves those of the database that stands at `source` now, and what is of no known one. Throws
/// ConflictError where several databases were backed up under this name and the file is none of them: to
/// restore another one's backup over it would be worse than to ask.
void keep_line_at(const Repository& repository, const std::string& source, std::vector<Entry>& entries);

/// One of several lines that are meant, for people to choose from: the short id and time of the newest of
/// each.
std::string describe(const std::vector<Line>& lines);

}  // namespace nerve::backups
