// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup.h"

#include "backup_steps.h"
#include "container_backup.h"
#include "container_run.h"
#include "copy_pages.h"
#include "database_facts.h"
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"
#include "snapshot/snapshot.h"
#include "table_rows.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"

#include <fmt/format.h>

#include <memory>

namespace nerve::backups {
namespace {

/// Checks the copy and writes down what it holds.
void examine_copy(const std::filesystem::path& copy_path, const std::filesystem::path& source,
                  Manifest& manifest, ProgressSink* progress) {
  sqlite::SessionOptions options;
  options.mode = sqlite::OpenMode::immutable;
  sqlite::Session copy(copy_path, options);
  // Page for page the copy is the source, so what is wrong in one is wrong in the other.
  require_sound(sqlite::integrity_check(copy, progress), source);
  manifest.checks.copy = "integrity_check";
  manifest.checks.foreign_key_violations = sqlite::check_foreign_keys(copy, progress).total();
  manifest.tables = table_rows(copy, progress);
  manifest.sqlite = sqlite_facts(copy);
  manifest.has_rows = manifest.rows_total().value_or(0) > 0;
}

Manifest make_plain(const sqlite::FileFacts& facts, const Repository& repository,
                    const BackupOptions& options, const Clock& clock, ProgressSink* progress) {
  if (has_encrypted_backup(repository, facts.path)) {
    throw DeniedError(fmt::format("the backups of {} in {} are encrypted, and a plain copy is not",
                                  facts.path.string(), repository.path().string()),
                      "For a plain copy name another repository with --repo.");
  }
  require_space_for_full(facts, repository);
  Manifest manifest = new_manifest(facts, options, clock);
  Keyring without_key;
  const Continuation continuation =
      continue_history(facts, repository, repository.list(), options, without_key, manifest);
  std::unique_ptr<Snapshot> snapshot;
  try {
    snapshot = std::make_unique<Snapshot>(facts, source_options(facts, options));
    tell_unchecked(options, check_source(snapshot->session(), options.check, progress));
  } catch (const IntegrityError& error) {
    snapshot.reset();
    keep_files_and_throw(error, facts, repository, options, clock, progress);
  }
  PartialBackup partial(repository, manifest.id);
  copy_pages(*snapshot, partial.file(database_file_name), progress);
  const std::filesystem::path copy = partial.file(database_file_name);
  examine_copy(copy, facts.path, manifest, progress);
  settle_history(repository, continuation, options, manifest);
  manifest.file = describe_file(copy, progress);
  partial.publish(manifest, clock, continuation.sequence_before);
  return manifest;
}

/// A file that is no database any more is kept where an earlier backup says that it was one.
void require_database_or_keep(const sqlite::FileFacts& facts, const Repository& repository,
                              const BackupOptions& options, const Clock& clock, ProgressSink* progress) {
  try {
    require_possible_place(facts, repository);
  } catch (const IntegrityError& damage) {
    if (!repository.newest_of(facts.path)) throw;
    keep_files_and_throw(damage, facts, repository, options, clock, progress);
  }
}

}  // namespace

Manifest create_backup(const std::filesystem::path& source, const Repository& any_repository,
                       const BackupOptions& options, const Clock& clock, ProgressSink* progress) {
  require_possible(options);
  const Repository repository = any_repository.for_key(options.key);
  const sqlite::FileFacts facts = sqlite::read_file_facts(source);
  return with_hints_of_damage(facts, repository, [&] {
    require_database_or_keep(facts, repository, options, clock, progress);
    if (options.form == Form::plain) return make_plain(facts, repository, options, clock, progress);
    ContainerRun run(facts, repository, options, clock, progress);
    run.pin();
    run.store();
    return run.publish();
  });
}

}  // namespace nerve::backups
