// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup.h"

#include "container_backup.h"
#include "copy_pages.h"
#include "damaged_copy.h"
#include "database_facts.h"
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"
#include "snapshot/snapshot.h"
#include "table_rows.h"
#include "target_state.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/shell.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string_view>

namespace nerve::backups {
namespace {

constexpr std::uint32_t pages_between_reports = 256;

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
      "There is no good backup of it in {}; 'sqlite3 {} .recover' prints the rows that can still be read.",
      repository.path().string(), source);
}

std::string_view name_of(SourceCheck check) {
  if (check == SourceCheck::none) return "none";
  return check == SourceCheck::deep ? "integrity_check" : "quick_check";
}

bool is_emptied(const Manifest& manifest, const sqlite::FileFacts& facts, const Repository& repository) {
  return !manifest.has_rows && repository.newest_with_rows(facts.path).has_value();
}

/// Keeps the files of a database that SQLite cannot read page by page, unless they would lie in the clear
/// where backups are encrypted.
[[noreturn]] void keep_files_and_throw(const IntegrityError& damage, const sqlite::FileFacts& facts,
                                       const Repository& repository, const BackupOptions& options,
                                       const Clock& clock, ProgressSink* progress) {
  if (!options.keep_damaged || options.key != nullptr || has_encrypted_backup(repository, facts.path)) {
    throw IntegrityError(damage.what(), damage.hint());
  }
  const TargetState state = look_at(facts.path);
  std::optional<Manifest> kept = find_kept_files(facts.path, state, repository, progress);
  if (!kept) kept = keep_damaged_files(facts.path, state, options.kind, repository, clock, progress);
  throw DamagedSourceError(damage.what(), {}, kept->id);
}

/// A snapshot of the database that was checked. Of a damaged one, where SQLite can still tell its pages, the
/// damage is in `damage`.
std::unique_ptr<Snapshot> checked_snapshot(const sqlite::FileFacts& facts, const BackupOptions& options,
                                           std::optional<IntegrityError>& damage, ProgressSink* progress) {
  std::unique_ptr<Snapshot> snapshot;
  try {
    snapshot = std::make_unique<Snapshot>(facts, source_options(facts, options));
    check_source(snapshot->session(), options.check, progress);
  } catch (const IntegrityError& error) {
    damage = error;
  }
  return snapshot;
}

Manifest make_plain(const sqlite::FileFacts& facts, const Repository& repository,
                    const BackupOptions& options, Manifest manifest, const Clock& clock,
                    ProgressSink* progress) {
  if (has_encrypted_backup(repository, facts.path)) {
    throw DeniedError(fmt::format("the backups of {} in {} are encrypted, and a plain copy is not",
                                  facts.path.string(), repository.path().string()),
                      "For a plain copy name another repository with --repo.");
  }
  std::optional<IntegrityError> damage;
  std::unique_ptr<Snapshot> snapshot = checked_snapshot(facts, options, damage, progress);
  if (damage) {
    snapshot.reset();
    keep_files_and_throw(*damage, facts, repository, options, clock, progress);
  }
  PartialBackup partial(repository, manifest.id);
  copy_pages(*snapshot, partial.file(database_file_name), progress);
  const std::filesystem::path copy = partial.file(database_file_name);
  examine_copy(copy, facts.path, manifest, progress);
  manifest.is_emptied = is_emptied(manifest, facts, repository);
  manifest.file = describe_file(copy, progress);
  partial.publish(manifest, clock);
  return manifest;
}

/// What SQLite says of the database. Of a damaged one it is no more than what its pages need: each statement
/// may fail.
void describe(Snapshot& snapshot, const BackupOptions& options, Manifest& manifest, ProgressSink* progress) {
  if (manifest.state == State::damaged) {
    manifest.sqlite.library_version = snapshot.session().text("SELECT sqlite_version()");
    manifest.sqlite.page_size_bytes = snapshot.shape().page_size_bytes;
    manifest.sqlite.page_count = snapshot.shape().page_count;
    return;
  }
  manifest.sqlite = sqlite_facts(snapshot.session());
  manifest.has_rows = has_rows(snapshot.session());
  if (options.key != nullptr) {
    manifest.sqlite.schema_sha256.clear();
  } else if (options.check != SourceCheck::none) {
    manifest.tables = table_rows(snapshot.session(), progress);
    manifest.checks.foreign_key_violations = sqlite::check_foreign_keys(snapshot.session(), progress).total();
  }
}

void read_with_progress(Snapshot& snapshot, const TakePage& take, ProgressSink* progress) {
  const SnapshotShape shape = snapshot.shape();
  snapshot.read_pages([&](std::uint32_t number, ByteView page) {
    take(number, page);
    if (number % pages_between_reports != 0) return;
    throw_if_interrupted();
    if (progress != nullptr) {
      progress->update("backing up", std::uint64_t{number} * shape.page_size_bytes,
                       std::uint64_t{shape.page_count} * shape.page_size_bytes);
    }
  });
}

Manifest make_container(const sqlite::FileFacts& facts, const Repository& repository,
                        const BackupOptions& options, Manifest manifest, const Clock& clock,
                        ProgressSink* progress) {
  // It holds the lock from here on, so that nobody prunes what this backup builds on.
  PartialBackup partial(repository, manifest.id);
  Keyring keyring(options.key);
  // Looked at before the database is opened: a generation takes a while to read, and a key may be missing.
  const std::optional<Generation> generation = find_generation(facts, repository, options, keyring);
  std::optional<IntegrityError> damage;
  const std::unique_ptr<Snapshot> snapshot = checked_snapshot(facts, options, damage, progress);
  if (damage && !snapshot) keep_files_and_throw(*damage, facts, repository, options, clock, progress);
  if (damage && !options.keep_damaged) throw IntegrityError(*damage);
  if (damage) manifest.state = State::damaged;
  describe(*snapshot, options, manifest, progress);
  manifest.checks.copy = "hashes";
  manifest.is_emptied = !damage && is_emptied(manifest, facts, repository);
  const ReadPages read_pages = [&](const TakePage& take) { read_with_progress(*snapshot, take, progress); };
  write_container(snapshot->shape(), read_pages, generation, keyring, partial, manifest);
  partial.publish(manifest, clock);
  if (damage) throw DamagedSourceError(damage->what(), {}, manifest.id);
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
  } catch (const DamagedSourceError& error) {
    throw DamagedSourceError(fmt::format("{}; what there is was kept as backup {}, which counts as damaged",
                                         error.what(), error.kept().short_text()),
                             hint_after_damage(error, facts, repository), error.kept());
  } catch (const IntegrityError& error) {
    throw IntegrityError(error.what(), hint_after_damage(error, facts, repository));
  }
}

}  // namespace nerve::backups
