// SPDX-License-Identifier: Apache-2.0
#include "target/append_target.h"

#include "target/table_sql.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::convert {
namespace {

using Parameter = postgresql::Session::Parameter;

struct TargetColumn {
  std::string type;  ///< as format_type() writes it
  bool is_not_null = false;
  bool is_computed = false;
  bool has_default = false;
  std::string sequence;  ///< that numbers it, its own or not, as text that is a name; empty where none does
};

struct TargetTable {
  std::string kind;  ///< of pg_class
  std::map<std::string, TargetColumn, std::less<>> columns;
};

using TargetTables = std::map<std::string, TargetTable, std::less<>>;

constexpr const char* columns_sql = R"(
SELECT c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
       a.atthasdef OR a.attidentity <> '',
       coalesce(pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname),
                (SELECT min(format('%I.%I', o.nspname, s.relname))
                 FROM pg_attrdef f
                 JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
                                     AND d.refclassid = 'pg_class'::regclass
                 JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
                 JOIN pg_namespace o ON o.oid = s.relnamespace
                 WHERE f.adrelid = c.oid AND f.adnum = a.attnum AND a.attgenerated = ''), '')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))";

constexpr const char* foreign_keys_sql = R"(
SELECT child.relname, parent.relname, k.condeferrable
FROM pg_constraint k
JOIN pg_class child ON child.oid = k.conrelid
JOIN pg_class parent ON parent.oid = k.confrelid
JOIN pg_namespace n ON n.oid = child.relnamespace AND n.oid = parent.relnamespace
WHERE k.contype = 'f' AND n.nspname = $1
ORDER BY k.oid)";

TargetTables read_tables(postgresql::Session& target, const std::string& schema) {
  TargetTables tables;
  const std::array<Parameter, 1> parameters{schema};
  const auto is_true = [](const postgresql::Row& row, int column) { return row.text(column) == "t"; };
  target.each(columns_sql, parameters, [&](const postgresql::Row& row) {
    TargetTable& table = tables[std::string(row.text(0).value_or(""))];
    table.kind = row.text(1).value_or("");
    table.columns[std::string(row.text(2).value_or(""))] = {
        .type = std::string(row.text(3).value_or("")),
        .is_not_null = is_true(row, 4),
        .is_computed = is_true(row, 5),
        .has_default = is_true(row, 6),
        .sequence = std::string(row.text(7).value_or(""))};
  });
  return tables;
}

/// What format_type() says; absent for a type that no column is given here.
std::optional<ColumnType> read_server_type(std::string_view text) {
  constexpr std::string_view varying = "character varying";
  if (text == varying) return ColumnType{.type = TargetType::text};
  if (text == "timestamp without time zone") return ColumnType{.type = TargetType::timestamp};
  if (text == "timestamp with time zone") return ColumnType{.type = TargetType::timestamptz};
  if (text.starts_with(varying))
    return parse_column_type("varchar" + std::string(text.substr(varying.size())));
  return parse_column_type(text);
}

/// Whether COPY can send values of one type in binary to a column of another, which changes none.
bool takes(const ColumnType& column, const ColumnType& sent) {
  if (column.type == TargetType::text) return is_text(sent.type);
  if (column.type != sent.type) return false;
  if (column.type == TargetType::varchar) return column.length >= sent.length;
  if (column.type != TargetType::numeric || column.precision == 0) return true;
  return sent.precision > 0 && column.scale >= sent.scale &&
         column.precision - column.scale >= sent.precision - sent.scale;
}

/// Compares a plan with the tables that are there.
class Fit {
 public:
  Fit(const Plan& plan, const TargetTables& tables) : plan_(plan), tables_(tables) {}

  /// Throws where anything does not fit.
  void require() {
    for (const TablePlan& table : plan_.tables) compare(table);
    if (violations_.empty()) return;
    throw ValidationError(
        fmt::format("the tables of schema {} do not take what would be appended", plan_.schema),
        "Leave tables and columns out, or give them other names and types, with --rules FILE; or alter the "
        "tables.",
        std::move(violations_));
  }

 private:
  void compare(const TablePlan& table) {
    const auto found = tables_.find(table.target);
    if (found == tables_.end())
      return refuse(table.target, fmt::format("there is no such table, for {}", table.source));
    if (found->second.kind != "r") return refuse(table.target, "it is no ordinary table");
    std::map<std::string, TargetColumn, std::less<>> others = found->second.columns;
    for (const ColumnPlan& column : table.columns) {
      const auto one = others.find(column.target);
      const std::string name = table.target + "." + column.target;
      if (one == others.end()) {
        refuse(name,
               fmt::format("there is no such column, for {} as {}", column.source, to_ddl(column.type)));
        continue;
      }
      compare(name, column, one->second);
      others.erase(one);
    }
    for (const auto& [name, column] : others) {
      if (column.is_not_null && !column.is_computed && !column.has_default)
        refuse(table.target + "." + name,
               "it is NOT NULL without a default, and the source has no such column");
    }
  }

  void compare(const std::string& name, const ColumnPlan& sent, const TargetColumn& column) {
    const auto type = read_server_type(column.type);
    if (!type || !takes(*type, sent.type))
      refuse(name, fmt::format("its type is {}, and {} would be sent", column.type, to_ddl(sent.type)));
    if (column.is_computed && sent.is_loaded) refuse(name, "it is computed, and values would be sent");
    if (!column.is_computed && !sent.is_loaded) refuse(name, "it is computed in the source and not here");
  }

  void refuse(std::string field, std::string message) {
    violations_.push_back({std::move(field), "fit", std::move(message)});
  }

  const Plan& plan_;
  const TargetTables& tables_;
  std::vector<Violation> violations_;
};

/// Throws where tables wait for each other.
void require_order(const Plan& plan) {
  std::vector<bool> is_loaded(plan.tables.size());
  for (bool is_any = true; is_any;) {
    is_any = false;
    for (std::size_t table = 0; table < plan.tables.size(); ++table) {
      if (is_loaded[table]) continue;
      const auto& previous = plan.tables[table].previous;
      if (!std::ranges::all_of(previous, [&](std::size_t one) { return is_loaded[one]; })) continue;
      is_loaded[table] = true;
      is_any = true;
    }
  }
  std::vector<std::string> waiting;
  for (std::size_t table = 0; table < plan.tables.size(); ++table) {
    if (!is_loaded[table]) waiting.push_back(plan.tables[table].target);
  }
  if (waiting.empty()) return;
  throw ConflictError(
      fmt::format("the foreign keys of {} point at each other, so that none can be loaded first",
                  list_names(waiting)),
      "Make these foreign keys DEFERRABLE, and append with --atomic.");
}

void plan_order(Plan& plan, postgresql::Session& target, bool is_atomic) {
  std::map<std::string, std::size_t, std::less<>> places;
  for (std::size_t table = 0; table < plan.tables.size(); ++table)
    places.emplace(plan.tables[table].target, table);
  const std::array<Parameter, 1> parameters{plan.schema};
  target.each(foreign_keys_sql, parameters, [&](const postgresql::Row& row) {
    const auto child = places.find(row.text(0).value_or(""));
    const auto parent = places.find(row.text(1).value_or(""));
    if (child == places.end() || parent == places.end()) return;
    TablePlan& table = plan.tables[child->second];
    if (child == parent) {
      // Rows may point at later ones: they are looked at when all of the table is there.
      table.range_starts.resize(std::min<std::size_t>(table.range_starts.size(), 1));
    } else if (!is_atomic || row.text(2) != "t") {
      table.previous.push_back(parent->second);
    }
  });
  require_order(plan);
}

/// A sequence goes on behind the largest number, and never back.
void plan_sequences(Plan& plan, const TargetTables& tables) {
  for (const TablePlan& table : plan.tables) {
    for (const ColumnPlan& column : table.columns) {
      const std::string& sequence = tables.at(table.target).columns.at(column.target).sequence;
      if (sequence.empty() || column.type.type != TargetType::bigint) continue;
      plan.at_end.push_back(
          {{"sequence", column.source, table.source, "", ""},
           fmt::format("SELECT setval({0}, last) FROM (SELECT max({1}) AS last FROM {2}) AS numbers "
                       "WHERE last > coalesce(pg_sequence_last_value({0}), 0)",
                       postgresql::quote_literal(sequence) + "::regclass",
                       postgresql::quote_identifier(column.target),
                       qualified_name(plan.schema, table.target))});
    }
  }
}

}  // namespace

void restrict_to_rows(Plan& plan) {
  plan.appends = true;
  for (TablePlan& table : plan.tables) table.after_load.clear();
  plan.at_end.clear();
  plan.notes.clear();
  std::erase_if(plan.untranslated,
                [](const Untranslated& object) { return object.kind != "table" && object.kind != "column"; });
}

void fit_to_target(Plan& plan, postgresql::Session& target, bool is_atomic) {
  const TargetTables tables = read_tables(target, plan.schema);
  Fit(plan, tables).require();
  plan_order(plan, target, is_atomic);
  plan_sequences(plan, tables);
}

}  // namespace nerve::convert
