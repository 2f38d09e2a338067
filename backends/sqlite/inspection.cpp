// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/inspection.h"

#include "sqlite/damage_owner.h"
#include "sqlite/interrupt_watch.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/progress.h"
#include "nerve/core/text.h"

#include <algorithm>
#include <map>
#include <set>

namespace nerve::sqlite {

namespace {

void append_lines(std::vector<std::string>& messages, std::string_view text) {
  constexpr std::string_view heading = "*** in database ";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!line.empty() && !line.starts_with(heading) && line != "ok") messages.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

CheckFindings run_pragma(Session& session, const std::string& pragma) {
  CheckFindings found;
  try {
    session.each(pragma, [&](const Row& row) { append_lines(found.findings, row.text(0)); });
  } catch (const IntegrityError& error) {
    found.gave_up = error.what();
  }
  return found;
}

/// Runs a check, also where a CHECK constraint calls a function that only its own program has.
CheckFindings run_check(Session& session, const std::string& pragma) {
  try {
    return run_pragma(session, pragma);
  } catch (const DatabaseError& error) {
    if (error.code() != "SQLITE_ERROR") throw;
  }
  session.execute("PRAGMA ignore_check_constraints=ON");
  CheckFindings found = run_pragma(session, pragma);
  session.execute("PRAGMA ignore_check_constraints=OFF");
  return found;
}

/// Asks each table by itself, to tell which are damaged.
void name_owners(Session& session, const std::string& check, Damage& damage, ProgressSink* progress) {
  const DamageOwners owners(session);
  std::set<std::string> tables;
  std::set<std::string> indexes;
  std::uint64_t done = 0;
  for (const Table& table : owners.tables()) {
    if (progress != nullptr)
      progress->update("looking for the damaged tables", done++, owners.tables().size());
    if (!table.has_rows()) continue;
    const CheckFindings found =
        run_check(session, "PRAGMA " + check + "(" + quote_identifier(table.name) + ")");
    if (found.findings.empty() && !found.gave_up) continue;
    OwnedDamage owned = owners.attribute(table, found);
    if (owned.is_table_damaged) tables.insert(table.name);
    indexes.merge(owned.indexes);
  }
  damage.tables.assign(tables.begin(), tables.end());
  damage.indexes.assign(indexes.begin(), indexes.end());
  damage.is_elsewhere = (tables.empty() && indexes.empty()) ||
                        std::ranges::any_of(damage.messages, [&](const std::string& message) {
                          return owners.belongs_to_nothing(message);
                        });
}

Damage check_structure(Session& session, const std::string& check, ProgressSink* progress) {
  throw_if_interrupted();
  const InterruptWatch watch(session);
  if (progress != nullptr) progress->update("checking pages", 0, 0);
  Damage damage;
  session.read_snapshot([&] {
    // One more than is kept tells whether there is more.
    const std::string limit = std::to_string(Damage::messages_max + 1);
    CheckFindings found = run_check(session, "PRAGMA " + check + "(" + limit + ")");
    damage.messages = std::move(found.findings);
    damage.is_truncated = damage.messages.size() > Damage::messages_max;
    if (damage.is_truncated) damage.messages.resize(Damage::messages_max);
    if (found.gave_up) damage.messages.push_back(*found.gave_up);
    if (damage.is_found()) name_owners(session, check, damage, progress);
  });
  return damage;
}

bool is_header_readable(Session& session) {
  try {
    session.integer("PRAGMA schema_version");
    return true;
  } catch (const IntegrityError&) {
    return false;
  }
}

/// The damage that shows before any check can begin: page 1 or the schema cannot be read.
Damage check_or_give_up(Session& session, const std::string& check, ProgressSink* progress) {
  try {
    return check_structure(session, check, progress);
  } catch (const IntegrityError& error) {
    Damage damage;
    damage.messages.emplace_back(error.what());
    if (is_header_readable(session)) {
      damage.tables.emplace_back("sqlite_schema");
    } else {
      damage.is_elsewhere = true;
    }
    return damage;
  }
}

std::string name_list(const std::vector<std::string>& names, std::string_view one, std::string_view many) {
  return std::string(names.size() == 1 ? one : many) + ' ' + list_names(names);
}

void check_table_keys(Session& session, const std::string& table, ForeignKeyCheck& result) {
  std::map<std::string, std::int64_t> counts;
  session.each("SELECT \"rowid\", parent FROM pragma_foreign_key_check(" + quote_text(table) + ")",
               [&](const Row& row) {
                 const std::string parent(row.text(1));
                 ++counts[parent];
                 if (result.violations.size() >= ForeignKeyCheck::violations_max) return;
                 const auto rowid = row.is_null(0) ? std::nullopt : std::optional(row.integer(0));
                 result.violations.push_back({table, rowid, parent});
               });
  for (const auto& [parent, count] : counts) result.counts.push_back({table, parent, count});
}

}  // namespace

std::string Damage::describe() const {
  if (!is_found()) return "no damage";
  std::string text;
  if (!tables.empty()) text = name_list(tables, "table", "tables");
  if (!indexes.empty()) text += (text.empty() ? "" : "; ") + name_list(indexes, "index", "indexes");
  return (text.empty() ? "outside every table and index" : text) + ": " + messages.front();
}

Damage quick_check(Session& session, ProgressSink* progress) {
  return check_or_give_up(session, "quick_check", progress);
}

Damage integrity_check(Session& session, ProgressSink* progress) {
  return check_or_give_up(session, "integrity_check", progress);
}

ForeignKeyCheck check_foreign_keys(Session& session, ProgressSink* progress) {
  ForeignKeyCheck result;
  session.read_snapshot([&] {
    const auto tables = list_tables(session);
    std::uint64_t done = 0;
    for (const Table& table : tables) {
      if (progress != nullptr) progress->update("checking foreign keys", done++, tables.size());
      if (table.kind != TableKind::table) continue;
      try {
        check_table_keys(session, table.name, result);
      } catch (const DatabaseError& error) {
        if (error.code() != "SQLITE_ERROR") throw;
        result.unchecked.push_back(table.name + ": " + error.what());
      }
    }
  });
  return result;
}

std::int64_t ForeignKeyCheck::total() const noexcept {
  std::int64_t sum = 0;
  for (const ForeignKeyCount& count : counts) sum += count.violations;
  return sum;
}

}  // namespace nerve::sqlite
