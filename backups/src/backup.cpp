// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/backup.h"

#include "copy_pages.h"
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"
#include "table_rows.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <limits>
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

sqlite::Session open_source(const sqlite::FileFacts& facts, const BackupOptions& options) {
  sqlite::SessionOptions session_options;
  session_options.busy_timeout_ms = static_cast<int>(options.busy_timeout.count());
  // A reader may not roll back what a dead writer left, and SQLite reads nothing before that is done. Who may
  // not write must hope that the journal is a living writer's.
  if (facts.is_journal_live && ::access(facts.path.c_str(), W_OK) == 0) {
    session_options.mode = sqlite::OpenMode::read_write;
  }
  return sqlite::Session(facts.path, session_options);
}

void require_sound(const sqlite::Damage& damage, const std::filesystem::path& database) {
  if (!damage.is_found()) return;
  throw IntegrityError(fmt::format("{} is damaged: {}", database.string(), damage.describe()));
}

void hash_length(crypto::Sha256& hash, std::uint64_t length) {
  std::array<std::byte, sizeof length> octets{};
  for (std::size_t place = octets.size(); place > 0; --place, length >>= 8) {
    octets[place - 1] = static_cast<std::byte>(length & 0xFF);
  }
  hash.update(octets);
}

std::string schema_sha256(sqlite::Session& session) {
  constexpr std::uint64_t length_of_null = std::numeric_limits<std::uint64_t>::max();
  crypto::Sha256 hash;
  session.each("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name, tbl_name",
               [&](const sqlite::Row& row) {
                 for (int column = 0; column < row.column_count(); ++column) {
                   if (row.is_null(column)) {
                     hash_length(hash, length_of_null);
                   } else {
                     hash_length(hash, row.text(column).size());
                     hash.update(as_bytes(row.text(column)));
                   }
                 }
               });
  return to_hex(hash.finish());
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
  manifest.sqlite.library_version = copy.text("SELECT sqlite_version()");
  manifest.sqlite.page_size_bytes = copy.integer("PRAGMA page_size");
  manifest.sqlite.page_count = copy.integer("PRAGMA page_count");
  manifest.sqlite.user_version = copy.integer("PRAGMA user_version");
  manifest.sqlite.application_id = copy.integer("PRAGMA application_id");
  manifest.sqlite.encoding = copy.text("PRAGMA encoding");
  manifest.sqlite.schema_sha256 = schema_sha256(copy);
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

Manifest make_backup(const sqlite::FileFacts& facts, const Repository& repository,
                     const BackupOptions& options, const Clock& clock, ProgressSink* progress) {
  Manifest manifest;
  manifest.id = new_id<BackupTag>();
  manifest.created_at = clock.now();
  manifest.program_version = NERVE_VERSION;
  manifest.kind = options.kind;
  manifest.source = {source_name(facts.path), facts.size_bytes,
                     facts.header && facts.header->is_wal ? "wal" : "rollback", mode_text(facts.mode)};
  manifest.checks.source = options.deep ? "integrity_check" : "quick_check";

  std::optional<PartialBackup> partial;
  {
    sqlite::Session source = open_source(facts, options);
    source.read_snapshot([&] {
      require_sound(
          options.deep ? sqlite::integrity_check(source, progress) : sqlite::quick_check(source, progress),
          facts.path);
      partial.emplace(repository, manifest.id);
      copy_pages(source, partial->file(database_file_name), progress);
      source.require_unchanged();
    });
  }
  const std::filesystem::path copy = partial->file(database_file_name);
  examine_copy(copy, facts.path, manifest, progress);
  manifest.is_emptied = manifest.rows_total() == 0 && repository.newest_with_rows(facts.path).has_value();
  manifest.file = describe_file(copy, progress);
  manifest.duration_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - manifest.created_at).count();
  throw_if_interrupted();
  partial->publish(manifest);
  return manifest;
}

}  // namespace

Manifest create_backup(const std::filesystem::path& source, const Repository& repository,
                       const BackupOptions& options, const Clock& clock, ProgressSink* progress) {
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
