// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/inspection.h"

#include "sqlite/damage_owner.h"
#include "sqlite/interrupt_watch.h"

#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/stand_ins.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/progress.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <functional>
#include <iterator>
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

/// Whether SQLite objects to a statement, not to the file: for a function or a collation that it does not
/// have (SQLITE_ERROR_MISSING_COLLSEQ).
bool is_about_statement(const DatabaseError& error) {
  return error.code().starts_with("SQLITE_ERROR");
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
    if (!is_about_statement(error)) throw;
  }
  session.execute("PRAGMA ignore_check_constraints=ON");
  CheckFindings found = run_pragma(session, pragma);
  session.execute("PRAGMA ignore_check_constraints=OFF");
  return found;
}

/// Whether a finding is about a row that breaks a rule of its table, and not about how rows are stored.
bool is_about_rule(std::string_view finding) {
  if (finding.find(" value in ") == std::string_view::npos)
    return finding.starts_with("CHECK constraint failed in ");
  const bool is_of_type = finding.starts_with("non-") && !finding.starts_with("non-unique ");
  return is_of_type || finding.starts_with("NULL value") || finding.starts_with("NUMERIC value") ||
         finding.starts_with("TEXT value");
}

/// Thrown to end a check of which enough is known.
struct EnoughFound {};

/// Runs a check for what is no rule of a table. There may be any number of findings about rules, so they are
/// not kept, and hide nothing.
CheckFindings run_lenient_pragma(Session& session, const std::string& pragma) {
  CheckFindings found;
  try {
    session.each(pragma, [&](const Row& row) {
      append_lines(found.findings, row.text(0));
      std::erase_if(found.findings, is_about_rule);
      if (found.findings.size() > Damage::messages_max) throw EnoughFound();
    });
  } catch (const EnoughFound&) {
    found.findings.resize(Damage::messages_max + 1);
  } catch (const IntegrityError& error) {
    found.gave_up = error.what();
  }
  return found;
}

void keep(CheckFindings found, Damage& damage) {
  std::ranges::move(found.findings, std::back_inserter(damage.messages));
  damage.is_truncated = damage.messages.size() > Damage::messages_max;
  if (damage.is_truncated) damage.messages.resize(Damage::messages_max);
  if (found.gave_up) damage.messages.push_back(std::move(*found.gave_up));
}

using RunPragma = CheckFindings(Session&, const std::string&);

/// Asks each table by itself, to tell which are damaged.
void name_owners(Session& session, const std::string& check, RunPragma& run, Damage& damage,
                 ProgressSink* progress) {
  const DamageOwners owners(session);
  std::set<std::string> tables;
  std::set<std::string> indexes;
  std::uint64_t done = 0;
  for (const Table& table : owners.tables()) {
    if (progress != nullptr)
      progress->update("looking for the damaged tables", done++, owners.tables().size());
    if (!table.has_rows()) continue;
    const CheckFindings found = run(session, "PRAGMA " + check + "(" + quote_identifier(table.name) + ")");
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

void keep_of_table(const Table& table, const DamageOwners& owners, CheckFindings found, Damage& damage) {
  if (found.findings.empty() && !found.gave_up) return;
  OwnedDamage owned = owners.attribute(table, found);
  if (owned.is_table_damaged) damage.tables.push_back(table.name);
  damage.indexes.insert(damage.indexes.end(), owned.indexes.begin(), owned.indexes.end());
  keep(std::move(found), damage);
}

/// Checks the tables one by one; those that the check cannot be compiled for are told.
std::vector<Table> check_tables(Session& session, const std::string& check, RunPragma& run, Damage& damage,
                                ProgressSink* progress) {
  const DamageOwners owners(session);
  std::vector<Table> unchecked;
  std::uint64_t done = 0;
  for (const Table& table : owners.tables()) {
    if (progress != nullptr) progress->update("checking tables", done++, owners.tables().size());
    if (!table.has_rows()) continue;
    const std::string pragma = fmt::format("PRAGMA {}({})", check, quote_identifier(table.name));
    try {
      keep_of_table(table, owners, run(session, pragma), damage);
    } catch (const DatabaseError& error) {
      if (!is_about_statement(error)) throw;
      const std::string reason =
          session.prepare_error(pragma).value_or("SQLite cannot compute what it holds");
      damage.unchecked.push_back(fmt::format("{}: {}", table.name, reason));
      unchecked.push_back(table);
    }
  }
  damage.is_elsewhere = damage.is_found() && damage.tables.empty() && damage.indexes.empty();
  return unchecked;
}

/// The settings of a session for a lenient check, until it ends.
class LenientSettings {
 public:
  explicit LenientSettings(Session& session)
      : session_(session), cache_size_(session.integer("PRAGMA cache_size")) {
    // Each row is looked up in each index: with the usual 2 MB that takes longer, and more than this gains
    // little.
    session.execute("PRAGMA cache_size=-8192; PRAGMA ignore_check_constraints=ON");
  }
  LenientSettings(const LenientSettings&) = delete;
  LenientSettings& operator=(const LenientSettings&) = delete;
  ~LenientSettings() {
    const std::string reset =
        "PRAGMA ignore_check_constraints=OFF; PRAGMA cache_size=" + std::to_string(cache_size_);
    ::sqlite3_exec(session_.handle(), reset.c_str(), nullptr, nullptr, nullptr);
  }

 private:
  Session& session_;
  std::int64_t cache_size_;
};

/// What the pages of tables hold can be checked without what only their application has; the order in which
/// it put them cannot.
void check_with_stand_ins(Session& session, const std::vector<Table>& tables, Damage& damage) {
  const DamageOwners owners(session);
  const LenientSettings settings(session);
  StandIns stand_ins(session);
  const auto quick_check_of = [&](const std::string& of) {
    CheckFindings found;
    stand_ins.run([&] { found = run_lenient_pragma(session, "PRAGMA quick_check(" + of + ")"); });
    std::erase_if(found.findings, [](const std::string& finding) {
      return finding.find("not in PRIMARY KEY order") != std::string::npos;
    });
    return found;
  };
  for (const Table& table : tables)
    keep_of_table(table, owners, quick_check_of(quote_identifier(table.name)), damage);
  if (damage.is_found()) return;
  // The free list, and pages that nothing uses.
  CheckFindings whole = quick_check_of("2147483647");
  if (whole.findings.empty() && !whole.gave_up) return;
  keep(std::move(whole), damage);
  damage.is_elsewhere = true;
}

Damage check_structure(Session& session, const std::string& check, ProgressSink* progress) {
  throw_if_interrupted();
  const InterruptWatch watch(session);
  if (progress != nullptr) progress->update("checking pages", 0, 0);
  Damage damage;
  session.read_snapshot([&] {
    try {
      // One more than is kept tells whether there is more.
      const std::string limit = std::to_string(Damage::messages_max + 1);
      keep(run_check(session, "PRAGMA " + check + "(" + limit + ")"), damage);
      if (damage.is_found()) name_owners(session, check, run_check, damage, progress);
    } catch (const DatabaseError& error) {
      if (!is_about_statement(error)) throw;
      damage = {};
      const std::vector<Table> unchecked = check_tables(session, check, run_check, damage, progress);
      check_with_stand_ins(session, unchecked, damage);
    }
  });
  return damage;
}

Damage check_leniently(Session& session, ProgressSink* progress) {
  throw_if_interrupted();
  const InterruptWatch watch(session);
  if (progress != nullptr) progress->update("checking pages", 0, 0);
  Damage damage;
  session.read_snapshot([&] {
    const LenientSettings settings(session);
    try {
      // As many findings as there may be: those about rules are left out as they come.
      keep(run_lenient_pragma(session, "PRAGMA integrity_check(2147483647)"), damage);
      if (damage.is_found()) name_owners(session, "integrity_check", run_lenient_pragma, damage, progress);
    } catch (const DatabaseError& error) {
      if (!is_about_statement(error)) throw;
      damage = {};
      const std::vector<Table> unchecked =
          check_tables(session, "integrity_check", run_lenient_pragma, damage, progress);
      check_with_stand_ins(session, unchecked, damage);
    }
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
Damage check_or_give_up(Session& session, const std::function<Damage()>& check) {
  try {
    return check();
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
  return check_or_give_up(session, [&] { return check_structure(session, "quick_check", progress); });
}

Damage integrity_check(Session& session, ProgressSink* progress) {
  return check_or_give_up(session, [&] { return check_structure(session, "integrity_check", progress); });
}

Damage lenient_integrity_check(Session& session, ProgressSink* progress) {
  return check_or_give_up(session, [&] { return check_leniently(session, progress); });
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
        if (!is_about_statement(error)) throw;
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
