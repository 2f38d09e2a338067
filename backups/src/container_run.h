// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backup_steps.h"
#include "container_backup.h"
#include "partial_backup.h"
#include "snapshot/snapshot.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <memory>
#include <optional>

namespace nerve::backups {

/// The making of one container, step by step, so that several databases can be pinned at one moment.
class ContainerRun {
 public:
  /// Takes the lock of the repository, so that nobody prunes what the backup builds on, and looks for that: a
  /// generation takes a while to read, and a key may be missing. Borrows all but the facts.
  ContainerRun(const sqlite::FileFacts& facts, const Repository& repository, const BackupOptions& options,
               const Clock& clock, ProgressSink* progress);

  /// Opens the database and pins the state that is stored.
  void pin();

  /// Checks that state and writes it. Of a database that is damaged, where the options say so, what there is
  /// of it; else throws IntegrityError.
  void store();

  /// Makes it a backup of the repository. Throws DamagedSourceError after it did so for a damaged one.
  Manifest publish();

  /// What is said of it, until it is published.
  Manifest& manifest() noexcept { return manifest_; }

 private:
  void find_what_it_continues();
  void describe();
  std::optional<BackupId> kept_lately() const;
  void read_pages(const TakePage& take);

  sqlite::FileFacts facts_;
  Repository repository_;  ///< for the key of the options
  BackupOptions options_;
  const Clock& clock_;
  ProgressSink* progress_;
  Manifest manifest_;
  PartialBackup partial_;
  Keyring without_key_;
  Keyring& keyring_;
  Continuation continuation_;
  std::optional<Generation> generation_;
  std::unique_ptr<Snapshot> snapshot_;
  std::optional<IntegrityError> damage_;
};

}  // namespace nerve::backups
