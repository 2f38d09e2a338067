// SPDX-License-Identifier: Apache-2.0
#include "damaged_copy.h"

#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"
#include "repository_file.h"

#include "nerve/backends/sqlite/file.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace nerve::backups {
namespace {

StoredFile keep_file(const std::filesystem::path& from, const std::filesystem::path& to,
                     ProgressSink* progress) {
  const Descriptor copy = open_repository_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  return copy_file_durably(open_file(from, O_RDONLY), from, copy, to, "keeping the damaged files", progress);
}

}  // namespace

Manifest keep_damaged_files(const std::filesystem::path& database, const TargetState& state, Kind kind,
                            const Repository& repository, const Clock& clock, ProgressSink* progress) {
  require_writable(repository);
  require_space(existing_folder(repository.path()),
                state.database.size_bytes + state.wal.size_bytes + state.journal.size_bytes);
  Manifest manifest;
  manifest.id = new_id<BackupTag>();
  manifest.created_at = clock.now();
  manifest.program_version = NERVE_VERSION;
  manifest.state = State::damaged;
  manifest.kind = kind;
  manifest.source = {source_name(database),
                     state.database.size_bytes,
                     {},
                     state.exists ? mode_text(state.mode) : std::string()};

  PartialBackup partial(repository, manifest.id);
  if (state.exists) {
    manifest.file = keep_file(database, partial.file(database_file_name), progress);
  } else {
    write_new_file(partial.file(database_file_name), {});
    manifest.file = describe_file(partial.file(database_file_name), progress);
  }
  if (state.wal.size_bytes > 0) {
    manifest.companions.push_back(
        keep_file(sqlite::companion(database, "-wal"), partial.file(wal_file_name), progress));
  }
  if (state.journal.size_bytes > 0) {
    manifest.companions.push_back(
        keep_file(sqlite::companion(database, "-journal"), partial.file(journal_file_name), progress));
  }
  partial.publish(manifest, clock);
  return manifest;
}

std::optional<Manifest> find_kept_files(const std::filesystem::path& database, const TargetState& state,
                                        const Repository& repository, ProgressSink* progress) {
  if (!state.exists) return std::nullopt;
  const auto describe = [&](const std::filesystem::path& path) {
    return describe_file(open_file(path, O_RDONLY), path, progress);
  };
  std::vector<StoredFile> files = {describe(database)};
  for (const auto& [trace, suffix] : {std::pair(state.wal, "-wal"), std::pair(state.journal, "-journal")}) {
    if (trace.size_bytes > 0) files.push_back(describe(sqlite::companion(database, suffix)));
  }
  const auto holds_them = [&](const Manifest& one) {
    std::vector<StoredFile> held = {one.file};
    held.insert(held.end(), one.companions.begin(), one.companions.end());
    return std::ranges::equal(held, files, {}, &StoredFile::sha256, &StoredFile::sha256);
  };
  for (Entry& entry : repository.list()) {
    const bool is_meant = entry.manifest && entry.manifest->state == State::damaged &&
                          !entry.manifest->container && entry.manifest->source.path == source_name(database);
    if (is_meant && holds_them(*entry.manifest)) return std::move(entry.manifest);
  }
  return std::nullopt;
}

}  // namespace nerve::backups
