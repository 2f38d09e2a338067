// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup.h"

#include "container_backup.h"
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
#include "nerve/core/shell.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace nerve::backups {
namespace {

/// A copy holds what is in the main file and what the -wal adds to it; a tenth more covers manifest and
/// folders.
std::uint64_t space_for(const sqlite::FileFacts& facts) {
  const std::uint64_t size_bytes = facts.size_bytes + facts.wal_bytes.value_or(0);
  return size_bytes + size_bytes / 10 + (std::uint64_t{64} << 10);
}

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

std::string hint_after_damage(const IntegrityError& error, const sqlite::FileFacts& facts,
                              const Repository& repository) {
  const std::string source = shell_word(facts.path.string());
  if (const std::optional<Manifest> earlier = repository.newest_of(facts.path)) {
    return fmt::format("The last good backup of it is of {}: nerve-db restore {} --repo {} --db {}.",
                       earlier->created_at.to_text(), earlier->id.short_text(),
                       shell_word(repository.path().string()), source);
  }
  // Of what is no database at all the error knows more; of a damaged one it could only name a backup.
  if (facts.kind != sqlite::FileKind::sqlite) return error.hint();
  return fmt::format(
      "There is no good backup of it in {}; 'nerve-db salvage --db {} --to FILE' writes what can still be "
      "read "
      "to a new database.",
      repository.path().string(), source);
}

std::string_view name_of(SourceCheck check) {
  if (check == SourceCheck::none) return "none";
  return check == SourceCheck::deep ? "integrity_check" : "quick_check";
}

bool is_emptied(const Manifest& manifest, const sqlite::FileFacts& facts, const Repository& repository) {
  return !manifest.has_rows && repository.newest_with_rows(facts.path).has_value();
}

Manifest make_plain(const sqlite::FileFacts& facts, const Repository& repository,
                    const BackupOptions& options, Manifest manifest, const Clock& clock,
                    ProgressSink* progress) {
  if (has_encrypted_backup(repository, facts.path)) {
    throw DeniedError(fmt::format("the backups of {} in {} are encrypted, and a plain copy is not",
                                  facts.path.string(), repository.path().string()),
                      "For a plain copy name another repository with --repo.");
  }
  Snapshot snapshot(facts, source_options(facts, options));
  check_source(snapshot.session(), options.check, progress);
  PartialBackup partial(repository, manifest.id);
  copy_pages(snapshot, partial.file(database_file_name), progress);
  const std::filesystem::path copy = partial.file(database_file_name);
  examine_copy(copy, facts.path, manifest, progress);
  manifest.is_emptied = is_emptied(manifest, facts, repository);
  manifest.file = describe_file(copy, progress);
  partial.publish(manifest, clock);
  return manifest;
}

Manifest make_container(const sqlite::FileFacts& facts, const Repository& repository,
                        const BackupOptions& options, Manifest manifest, const Clock& clock,
                        ProgressSink* progress) {
  // It holds the lock from here on, so that nobody prunes what this backup builds on.
  PartialBackup partial(repository, manifest.id);
  Keyring keyring(options.key);
  // Looked at before the database is opened: a generation takes a while to read, and a key may be missing.
  const std::optional<Generation> generation = find_generation(facts, repository, options, keyring);
  Snapshot snapshot(facts, source_options(facts, options));
  check_source(snapshot.session(), options.check, progress);
  manifest.sqlite = sqlite_facts(snapshot.session());
  manifest.has_rows = has_rows(snapshot.session());
  if (options.key != nullptr) {
    manifest.sqlite.schema_sha256.clear();
  } else if (options.check != SourceCheck::none) {
    manifest.tables = table_rows(snapshot.session(), progress);
    manifest.checks.foreign_key_violations = sqlite::check_foreign_keys(snapshot.session(), progress).total();
  }
  manifest.checks.copy = "hashes";
  manifest.is_emptied = is_emptied(manifest, facts, repository);
  write_container(snapshot, generation, keyring, partial, manifest, progress);
  partial.publish(manifest, clock);
  return manifest;
}

Manifest make_backup(const sqlite::FileFacts& facts, const Repository& repository,
                     const BackupOptions& options, const Clock& clock, ProgressSink* progress) {
  Manifest manifest = new_manifest(facts, options, clock);
  manifest.checks.source = name_of(options.check);
  return options.form == Form::plain
             ? make_plain(facts, repository, options, std::move(manifest), clock, progress)
             : make_container(facts, repository, options, std::move(manifest), clock, progress);
}

void require_possible(const BackupOptions& options) {
  if (options.form != Form::plain) return;
  if (options.key != nullptr) {
    throw ValidationError("a plain copy is not encrypted, and a key is given for it",
                          "Leave the plain form or the key away.");
  }
  if (options.check == SourceCheck::none) {
    throw ValidationError("a plain copy is always checked",
                          "Leave the plain form away, or check the source.");
  }
}

}  // namespace

Manifest create_backup(const std::filesystem::path& source, const Repository& repository,
                       const BackupOptions& options, const Clock& clock, ProgressSink* progress) {
  require_possible(options);
  const sqlite::FileFacts facts = sqlite::read_file_facts(source);
  try {
    sqlite::require_database(facts);
    require_writable(repository);
    require_space(existing_folder(repository.path()), space_for(facts));
    return make_backup(facts, repository, options, clock, progress);
  } catch (const IntegrityError& error) {
    throw IntegrityError(error.what(), hint_after_damage(error, facts, repository));
  }
}

}  // namespace nerve::backups
