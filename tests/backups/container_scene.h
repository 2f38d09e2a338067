// SPDX-License-Identifier: Apache-2.0
// A database and its backups that are containers.
#pragma once

#include "backups/scratch_database.h"
#include "support/temp_folder.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/restore.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace nerve::test {

/// A new database of 600 rows, and a repository beside it.
struct ContainerScene {
  explicit ContainerScene(const std::string& journal_mode = "wal") {
    make_database(database, 300, journal_mode);
  }

  backups::Manifest back_up(backups::BackupOptions options = {}) {
    options.on_note = [this](const std::string& note) { notes.push_back(note); };
    return backups::create_backup(database, repository, options, clock);
  }
  std::filesystem::path restored(const backups::Manifest& manifest, const backups::BackupKey* key = nullptr) {
    std::filesystem::path path = folder / fmt::format("restored-{}", ++restored_count);
    backups::RestoreOptions options;
    options.key = key;
    backups::restore_backup(repository, manifest, {path, backups::RestoreTarget::Mode::new_file}, options,
                            clock);
    return path;
  }
  std::filesystem::path file_of(const backups::Manifest& manifest) const {
    return repository.folder_of(manifest.id) / manifest.file.name;
  }
  /// Changes one byte of a backup's container.
  void alter(const backups::Manifest& manifest, std::streamoff place) const {
    std::fstream file(file_of(manifest), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(place);
    const int octet = file.get();
    file.seekp(place);
    file.put(static_cast<char>(octet ^ 0x40));
  }
  /// As somebody would who may write to the repository.
  void write_manifest(const backups::Manifest& manifest) const {
    std::ofstream(repository.folder_of(manifest.id) / "manifest.json", std::ios::trunc)
        << backups::manifest_text(manifest);
  }
  void change(int id) const {
    PlainSqlite(database).run(fmt::format("UPDATE users SET score = score + 1 WHERE id = {}", id));
  }

  TempFolder folder;
  std::filesystem::path database = folder / "app.db";
  backups::Repository repository = backups::Repository::open_or_create(folder / "backups");
  ManualClock clock{Timestamp::parse("2026-05-01T08:00:00Z")};
  std::vector<std::string> notes;
  int restored_count = 0;
};

}  // namespace nerve::test
