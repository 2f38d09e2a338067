// SPDX-License-Identifier: Apache-2.0
#include "rules/apply_rules.h"
#include "values/valid_text.h"

#include "nerve/convert/convert.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace nerve::convert {
namespace {

constexpr std::string_view head =
    R"(# Rules of nerve-db convert, of {source}. Change what should be otherwise, and remove
# what need not be said: docs/converting.md. Tables and columns are named as in SQLite.
#
# of a table:  name, skip = true, on_misfit
# of a column: name, skip = true, on_misfit, type and, for a type of time, time
# type:        boolean, bigint, double precision, numeric, numeric(10,2), text, varchar(40), bytea, date, timestamp,
#              timestamptz, json, uuid
# time:        "ISO text", "epoch seconds", "epoch milliseconds", "Julian day"
# on_misfit:   widen: to a type that holds every value; or else the type is held, and for a value that does not fit
#              reject: leave its row out; null: store NULL instead; both write the row to the file of --rejects;
#              fail: convert nothing

)";

/// A key or a value as TOML writes any text: a basic string.
std::string toml_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (code < 0x20 || code == 0x7f) {
      quoted += fmt::format("\\u{:04x}", code);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

bool is_left_out_by_rule(const Untranslated& object, std::string_view kind) {
  return object.kind == kind && object.reason.starts_with(left_out_by_rule);
}

std::string column_rules(const ColumnPlan& column) {
  std::string rules =
      fmt::format("name = {}, type = {}", toml_text(column.target), toml_text(to_ddl(column.type)));
  if (is_time(column.type.type)) rules += fmt::format(", time = {}", toml_text(to_string(column.type.time)));
  if (column.on_misfit != OnMisfit::reject)
    rules += fmt::format(", on_misfit = {}", toml_text(to_string(column.on_misfit)));
  return rules;
}

/// What a comment can hold: one line, and nothing that hides.
std::string remark(const ColumnPlan& column) {
  return sanitize_for_terminal(column.declared.empty() ? column.why : column.declared + ": " + column.why);
}

std::string table_rules(const TablePlan& table, const Plan& plan) {
  std::string text =
      fmt::format("[tables.{}]  # {} rows\nname = {}\n[tables.{}.columns]\n", toml_text(table.source),
                  format_count(table.rows), toml_text(table.target), toml_text(table.source));
  for (const ColumnPlan& column : table.columns) {
    const std::string name = valid_text(column.source);
    const auto same = std::ranges::count_if(
        table.columns, [&](const ColumnPlan& other) { return valid_text(other.source) == name; });
    // Names that are not UTF-8 may read alike, and then no rule can tell them apart.
    text += fmt::format("{}{} = {{ {} }}  # {}\n", same == 1 ? "" : "# ", toml_text(name),
                        column_rules(column), remark(column));
  }
  for (const Untranslated& object : plan.untranslated) {
    if (is_left_out_by_rule(object, "column") && object.table == table.source)
      text += fmt::format("{} = {{ skip = true }}\n", toml_text(valid_text(object.name)));
  }
  return text + "\n";
}

}  // namespace

std::string rules_text(const Plan& plan) {
  std::string text(head);
  constexpr std::string_view source = "{source}";
  text.replace(text.find(source), source.size(), sanitize_for_terminal(plan.source.string()));
  text += fmt::format("case = \"{}\"  # of names that no rule gives\n\n", plan.folds_case ? "lower" : "keep");
  for (const TablePlan& table : plan.tables) text += table_rules(table, plan);
  for (const Untranslated& object : plan.untranslated) {
    if (is_left_out_by_rule(object, "table"))
      text += fmt::format("[tables.{}]\nskip = true\n\n", toml_text(object.name));
  }
  return text;
}

}  // namespace nerve::convert
