// SPDX-License-Identifier: Apache-2.0
#include "container/chain.h"
#include "container/ordered_pages.h"
#include "container_backup.h"
#include "durable_file.h"
#include "partial_backup.h"
#include "recovery.h"

#include "nerve/backups/consolidation.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

namespace nerve::backups {
namespace {

void require_delta(const Manifest& manifest) {
  if (manifest.state != State::good) {
    throw ConflictError(fmt::format("backup {} is of a database that was damaged", manifest.id.to_string()),
                        "Name one that is good, or leave the id away.");
  }
  if (manifest.container && manifest.container->parent) return;
  throw ConflictError(fmt::format("backup {} needs no other backup already", manifest.id.to_string()),
                      "Name a delta, as 'nerve-db backup list' shows them.");
}

/// What the new full is, but for its container.
Manifest manifest_of_full(const Manifest& delta) {
  Manifest full = delta;
  full.id = new_id<BackupTag>();
  full.program_version = NERVE_VERSION;
  return full;
}

}  // namespace

Manifest consolidate_backup(const Repository& any_repository, const Manifest& delta, const BackupKey* key,
                            const Clock& clock, ProgressSink* progress) {
  const Repository repository = any_repository.for_key(key);
  require_delta(delta);
  require_writable(repository);
  require_space(repository.path(), delta.database_bytes());
  const Timestamp began_at = clock.now();
  Manifest full = manifest_of_full(delta);
  PartialBackup partial(repository, full.id);
  Keyring none;
  Keyring& keyring = key != nullptr ? *repository.keyring() : none;
  // Read again, since it may have been merged before the lock was had.
  const Chain chain = open_chain(repository, repository.read(delta.id), keyring);
  // The list of pages is held to its seal before any page is taken from it.
  chain.state(repository.path());
  const SnapshotShape shape{chain.page_size_bytes(), chain.page_count(), delta.source.journal_mode == "wal"};
  const ReadPages read_pages = [&](const TakePage& take) {
    read_in_order(chain, take, "consolidating", progress);
  };
  // A keyring with a key would encrypt what was not.
  write_container(shape, read_pages, std::nullopt, delta.is_encrypted() ? keyring : none, partial, full);
  keep_recovery_slots(repository, {}, full, keyring, partial);
  full.container->consolidated_from = delta.id;
  full.duration_ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - began_at).count();
  partial.publish_as_it_is(full, clock);
  return full;
}

}  // namespace nerve::backups
