// SPDX-License-Identifier: Apache-2.0
#include "sqlite/health_checks.h"

#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/schema.h"
#include "nerve/backends/sqlite/virtual_tables.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

/// Checks of what the database holds.
namespace nerve::sqlite {

using health::Check;
using health::Status;

namespace {

/// Whether a view or virtual table is sound, but needs a function, module or trust that only its own program
/// has.
bool is_foreign(std::string_view reason) {
  constexpr std::array<std::string_view, 4> beginnings = {"no such module", "no such function",
                                                          "no such collation", "unsafe use of"};
  return std::ranges::any_of(beginnings,
                             [&](std::string_view beginning) { return reason.starts_with(beginning); });
}

/// "a (why), b (why) and 3 more".
std::string list_unreadable(const std::vector<const Table*>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const Table* table : tables) names.push_back(table->name + " (" + table->unreadable + ")");
  return list_names(names);
}

std::string describe_counts(Session& session, const std::vector<Table>& tables) {
  const auto count = [&](TableKind kind) { return std::ranges::count(tables, kind, &Table::kind); };
  return fmt::format("{} tables, {} views, {} indexes, {} triggers",
                     count(TableKind::table) + count(TableKind::virtual_table), count(TableKind::view),
                     session.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'index'"),
                     session.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"));
}

}  // namespace

Check check_schema(Session& session, const HealthOptions& options) {
  const std::vector<Table> tables = list_tables(session);
  const auto how = options.is_deep ? VirtualTableCheck::whole : VirtualTableCheck::read;
  const VirtualTableFindings virtual_tables = check_virtual_tables(session, how, options.progress);
  std::vector<const Table*> broken;
  std::vector<const Table*> foreign;
  for (const Table& table : tables) {
    if (table.unreadable.empty() || table.is_damaged) continue;
    (is_foreign(table.unreadable) ? foreign : broken).push_back(&table);
  }
  Check check{.id = "sqlite.schema",
              .status = Status::ok,
              .value = describe_counts(session, tables),
              .threshold = "every table and view can be read",
              .message = "the schema can be read",
              .fix = {}};
  if (!foreign.empty()) {
    check.message += "; only the program they were made for can read " + list_unreadable(foreign);
  }
  if (!broken.empty()) {
    check.status = Status::warning;
    check.message = "what these name is not in the schema: " + list_unreadable(broken);
    check.fix = "Make the view anew so that it fits the tables, or drop it: DROP VIEW " +
                quote_identifier(broken.front()->name);
  }
  if (!virtual_tables.unchecked.empty()) {
    check.status = Status::unknown;
    check.message =
        "what these virtual tables keep could not be checked: " + list_names(virtual_tables.unchecked);
    check.fix = "Look at them with the program they were made for; health.skip leaves this check out.";
  }
  if (!virtual_tables.damaged.empty()) {
    check.status = Status::critical;
    check.value = fmt::format("{} damaged", virtual_tables.damaged.size());
    check.message = "the tables behind a virtual table are damaged, all others can be read: " +
                    list_names(virtual_tables.damaged);
    check.fix =
        "Make what is damaged anew from the rows it was filled with; a full-text index whose content is "
        "sound by "
        "INSERT INTO t(t) VALUES ('rebuild'). Or restore a backup from before.";
  }
  return check;
}

/// REINDEX makes entries anew; an index whose pages cannot be read stops it.
bool can_reindex(const Damage& damage) {
  return damage.is_only_in_indexes() && std::ranges::all_of(damage.messages, [](const std::string& message) {
           return message.find("missing from index") != std::string::npos ||
                  message.find("wrong # of entries in index") != std::string::npos;
         });
}

Check check_structure(Session& session, const HealthOptions& options) {
  const Damage damage =
      options.is_deep ? integrity_check(session, options.progress) : quick_check(session, options.progress);
  Check check{
      .id = "sqlite.integrity",
      .status = Status::ok,
      .value = options.is_deep ? "integrity_check ok" : "quick_check ok",
      .threshold = "no damage",
      .message = options.is_deep ? "every page, row and index entry is sound" : "every page and row is sound",
      .fix = {}};
  if (damage.is_found()) {
    check.status = Status::critical;
    check.value =
        fmt::format("{}{} findings", damage.is_truncated ? "more than " : "", damage.messages.size());
    check.message = "damaged: " + damage.describe();
    check.fix = can_reindex(damage) ? sqlite3_command(session.path(), "REINDEX") +
                                          "  # only indexes are damaged, no row is lost"
                                    : restore_command(session.path(), options);
  } else if (!damage.unchecked.empty()) {
    check.status = Status::unknown;
    check.value = fmt::format("{} tables not checked", damage.unchecked.size());
    check.message =
        "pages and rows are sound; the order of rows and the indexes of some tables need what only "
        "their application has: " +
        list_names(damage.unchecked);
    check.fix =
        "Let the application run PRAGMA integrity_check itself; that it stays unknown here says no more than "
        "that. "
        "health.skip leaves the check out, and damage with it.";
  }
  return check;
}

Check check_foreign_key_rows(Session& session, const HealthOptions& options) {
  const ForeignKeyCheck keys = check_foreign_keys(session, options.progress);
  Check check{.id = "sqlite.foreign_keys",
              .status = Status::ok,
              .value = fmt::format("{} rows without parent", keys.total()),
              .threshold = "none",
              .message = "every reference leads to a row",
              .fix = {},
              .number = static_cast<double>(keys.total()),
              .unit = "count"};
  if (keys.total() > 0) {
    std::vector<std::string> names;
    for (const ForeignKeyCount& count : keys.counts) {
      names.push_back(
          fmt::format("{} of {} refer to missing rows of {}", count.violations, count.table, count.parent));
    }
    check.status = Status::warning;
    check.message = list_names(names);
    check.fix = "List them with PRAGMA foreign_key_check, then add the parents or delete the rows.";
  } else if (!keys.unchecked.empty()) {
    check.status = Status::unknown;
    check.message = "could not be checked: " + keys.unchecked.front();
    check.fix = "Let the foreign key name a primary key or a unique index of the parent.";
  }
  return check;
}

Check check_free_list(Session& session, const HealthOptions& options) {
  const std::int64_t pages = session.integer("PRAGMA page_count");
  const std::int64_t free_pages = session.integer("PRAGMA freelist_count");
  const auto free_bytes = static_cast<std::uint64_t>(free_pages * session.integer("PRAGMA page_size"));
  const double percent =
      pages == 0 ? 0.0 : 100.0 * static_cast<double>(free_pages) / static_cast<double>(pages);
  Check check{.id = "sqlite.free_list",
              .status = Status::ok,
              .value = fmt::format("{:.1f} % ({} of {} pages)", percent, free_pages, pages),
              .threshold = fmt::format("at most {:g} %, or {}", options.free_list_max_percent,
                                       format_size(options.free_list_ignored_bytes)),
              .message = "few pages are free",
              .fix = {},
              .number = percent,
              .unit = "percent"};
  if (percent > options.free_list_max_percent && free_bytes > options.free_list_ignored_bytes) {
    check.status = Status::warning;
    check.message = format_size(free_bytes) + " of the file hold nothing";
    check.fix = optimize_command(session.path());
  }
  return check;
}

}  // namespace nerve::sqlite
