// SPDX-License-Identifier: Apache-2.0
#include "database_facts.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/stand_ins.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <utility>

namespace nerve::backups {
namespace {

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

std::string_view name_of(SourceCheck check) {
  if (check == SourceCheck::none) return "none";
  return check == SourceCheck::deep ? "integrity_check" : "quick_check";
}

/// How many bytes of the file are missing. SQLite fills up what a page lacks with zeros, and says nothing.
/// With a write-ahead log the pages may be there alone, and while a transaction is under way size and header
/// do not belong together.
std::uint64_t missing_bytes(const sqlite::FileFacts& facts) {
  if (!facts.header || facts.header->page_size_bytes == 0) return 0;
  if (facts.wal_bytes.value_or(0) > 0 || facts.is_journal_live) return 0;
  const std::uint64_t page_bytes = facts.header->page_size_bytes;
  const std::uint64_t whole_bytes = facts.header->has_valid_page_count
                                        ? facts.header->page_count * page_bytes
                                        : (facts.size_bytes + page_bytes - 1) / page_bytes * page_bytes;
  return whole_bytes > facts.size_bytes ? whole_bytes - facts.size_bytes : 0;
}

}  // namespace

sqlite::SessionOptions source_options(const sqlite::FileFacts& facts, const BackupOptions& options) {
  sqlite::SessionOptions session_options;
  session_options.busy_timeout_ms = static_cast<int>(options.busy_timeout.count());
  // A reader may not roll back what a dead writer left, and SQLite reads nothing before that is done. Who may
  // not write must hope that the journal is a living writer's.
  if (facts.is_journal_live && ::access(facts.path.c_str(), W_OK) == 0) {
    session_options.mode = sqlite::OpenMode::read_write;
  }
  return session_options;
}

Manifest new_manifest(const sqlite::FileFacts& facts, const BackupOptions& options, const Clock& clock) {
  Manifest manifest;
  manifest.id = new_id<BackupTag>();
  manifest.created_at = clock.now();
  manifest.program_version = NERVE_VERSION;
  manifest.kind = options.kind;
  manifest.checks.source = name_of(options.check);
  manifest.source = {source_name(facts.path), facts.size_bytes,
                     facts.header && facts.header->is_wal ? "wal" : "rollback", mode_text(facts.mode)};
  return manifest;
}

SqliteFacts sqlite_facts(sqlite::Session& session) {
  SqliteFacts facts;
  facts.library_version = session.text("SELECT sqlite_version()");
  facts.page_size_bytes = session.integer("PRAGMA page_size");
  facts.page_count = session.integer("PRAGMA page_count");
  facts.user_version = session.integer("PRAGMA user_version");
  facts.application_id = session.integer("PRAGMA application_id");
  facts.encoding = session.text("PRAGMA encoding");
  facts.schema_sha256 = schema_sha256(session);
  return facts;
}

void require_whole(const sqlite::Session& source) {
  // One that reads without locks has no transaction that keeps writers off, so one look is no proof.
  if (missing_bytes(sqlite::read_file_facts(source.path())) == 0) return;
  const std::uint64_t missing = missing_bytes(sqlite::read_file_facts(source.path()));
  if (missing == 0) return;
  throw IntegrityError(fmt::format("{} is damaged: it is cut off: its last {} byte{} missing",
                                   source.path().string(), missing, missing == 1 ? " is" : "s are"));
}

std::vector<std::string> check_source(sqlite::Session& source, SourceCheck check, ProgressSink* progress) {
  require_whole(source);
  if (check == SourceCheck::none) return {};
  sqlite::Damage damage = check == SourceCheck::deep ? sqlite::integrity_check(source, progress)
                                                     : sqlite::quick_check(source, progress);
  require_sound(damage, source.path());
  const auto how =
      check == SourceCheck::deep ? sqlite::VirtualTableCheck::whole : sqlite::VirtualTableCheck::read;
  add_virtual_tables(sqlite::check_virtual_tables(source, how, progress), damage.unchecked);
  return std::move(damage.unchecked);
}

void add_virtual_tables(sqlite::VirtualTableFindings findings, std::vector<std::string>& unchecked) {
  std::ranges::move(findings.damaged, std::back_inserter(unchecked));
  std::ranges::move(findings.unchecked, std::back_inserter(unchecked));
}

void require_sound(const sqlite::Damage& damage, const std::filesystem::path& database) {
  if (!damage.is_found()) return;
  throw IntegrityError(fmt::format("{} is damaged: {}", database.string(), damage.describe()));
}

bool has_rows(sqlite::Session& session) {
  sqlite::StandIns stand_ins(session);
  return std::ranges::any_of(sqlite::list_tables(session), [&](const sqlite::Table& table) {
    if (!table.has_rows() || !table.unreadable.empty()) return false;
    const std::string sql = "SELECT EXISTS (SELECT 1 FROM " + sqlite::quote_identifier(table.name) + ")";
    bool has_any = false;
    stand_ins.run([&] { has_any = session.integer(sql) != 0; });
    return has_any;
  });
}

}  // namespace nerve::backups
