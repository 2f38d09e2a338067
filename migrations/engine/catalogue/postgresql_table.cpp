// SPDX-License-Identifier: Apache-2.0
#include "catalogue/postgresql_table.h"

#include "catalogue/create_table.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

namespace nerve::migrations {

namespace {

constexpr std::string_view partition_of = "PARTITION OF ";
constexpr std::string_view partition_by = "PARTITION BY ";
constexpr std::string_view inherits = "INHERITS ";
constexpr std::string_view with = "WITH ";

std::string column_sql(const Column& column) {
  std::string sql = written(column.name) + ' ' + column.type;
  if (!column.collation.empty()) sql += " COLLATE " + column.collation;
  if (column.is_not_null) sql += " NOT NULL";
  if (column.default_value) sql += " DEFAULT " + *column.default_value;
  if (!column.generated.empty()) sql += fmt::format(" GENERATED ALWAYS AS ({}) STORED", column.generated);
  if (!column.identity.empty()) {
    const std::size_t options = column.identity.find(" (");
    sql += fmt::format(" GENERATED {} AS IDENTITY", column.identity.substr(0, options));
    if (options != std::string::npos) sql += column.identity.substr(options);
  }
  return sql;
}

/// The property of that beginning, whole; empty where there is none.
std::string_view find_property(const Object& table, std::string_view beginning) {
  for (const std::string& property : table.properties) {
    if (property.starts_with(beginning)) return property;
  }
  return {};
}

/// What follows the list of columns.
std::string tail_of(const Object& table) {
  std::string tail;
  for (const std::string_view clause : {inherits, partition_by, with}) {
    if (const auto property = find_property(table, clause); !property.empty())
      tail.append(" ").append(property);
  }
  return tail;
}

}  // namespace

std::string written(std::string_view name) {
  return written_name(name, db::Dialect::postgresql);
}

bool can_stand_inside(const Constraint& constraint) {
  return !constraint.definition.ends_with(" NOT VALID");
}

std::string create_table_sql(const Object& table, const std::function<bool(const Constraint&)>& is_inside) {
  std::vector<std::string> elements;
  const bool is_partition = !table.parent.empty();
  if (!is_partition) {
    for (const Column& column : table.columns) elements.push_back(column_sql(column));
  }
  for (const Constraint& constraint : table.constraints) {
    if (is_inside(constraint)) {
      elements.push_back(fmt::format("CONSTRAINT {} {}", written(constraint.name), constraint.definition));
    }
  }
  const std::string body = elements.empty() ? "" : fmt::format(" (\n  {}\n)", fmt::join(elements, ",\n  "));
  const std::string_view life = table.has_property("UNLOGGED") ? "UNLOGGED " : "";
  if (!is_partition) {
    return fmt::format("CREATE {}TABLE {}{}{}", life, written(table.name), body.empty() ? " ()" : body,
                       tail_of(table));
  }
  // "PARTITION OF parent FOR VALUES …": the list stands between the two.
  std::string_view bound = find_property(table, partition_of);
  const std::string head = std::string(partition_of) + written(table.parent);
  bound.remove_prefix(std::min(bound.size(), head.size()));
  return fmt::format("CREATE {}TABLE {} {}{}{}{}", life, written(table.name), head, body, bound,
                     tail_of(table));
}

std::string sequence_options(const SequenceFacts& facts) {
  std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  if (facts.type == "integer") largest = std::numeric_limits<std::int32_t>::max();
  if (facts.type == "smallint") largest = std::numeric_limits<std::int16_t>::max();
  const bool ascends = facts.increment > 0;
  const std::int64_t usual_min = ascends ? 1 : -largest - 1;
  const std::int64_t usual_max = ascends ? largest : -1;
  std::string options;
  const auto add = [&](std::string_view name, std::int64_t value, std::int64_t usual) {
    if (value != usual) options += fmt::format("{}{} {}", options.empty() ? "" : " ", name, value);
  };
  add("INCREMENT BY", facts.increment, 1);
  add("MINVALUE", facts.value_min, usual_min);
  add("MAXVALUE", facts.value_max, usual_max);
  add("START WITH", facts.start, ascends ? facts.value_min : facts.value_max);
  add("CACHE", facts.cache, 1);
  if (facts.cycles) options += options.empty() ? "CYCLE" : " CYCLE";
  return options;
}

std::string without_schema(std::string_view sql, std::string_view schema) {
  const Tokens tokens = tokens_of(sql, db::Dialect::postgresql);
  std::string text;
  std::size_t copied = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const bool is_name =
        tokens[i].kind == db::SqlTokenKind::word || tokens[i].kind == db::SqlTokenKind::quoted_name;
    const bool is_qualified = i > 0 && tokens[i - 1].is_symbol('.');
    if (!is_name || is_qualified || !tokens[i + 1].is_symbol('.') || stored_name(tokens[i]) != schema)
      continue;
    text += sql.substr(copied, tokens[i].offset - copied);
    copied = tokens[i + 1].offset + 1;
  }
  return text.append(sql.substr(copied));
}

}  // namespace nerve::migrations
