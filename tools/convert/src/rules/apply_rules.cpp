// SPDX-License-Identifier: Apache-2.0
#include "rules/apply_rules.h"

#include "sql/tokens.h"
#include "values/valid_text.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace nerve::convert {
namespace {

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  if (const auto match = closest_match(name, views)) return "did you mean " + in_quotes(*match) + "?";
  return "there are " + sanitize_for_terminal(list_names(candidates));
}

/// The name that something is given by itself, where nothing else has it.
std::string natural_name(CasePolicy policy, std::string_view name) {
  return NameSpace(policy).take(name);
}

/// A name in the target, of a table or column of the source.
struct Named {
  std::string source;
  std::string target;
  const RulePlace* place = nullptr;  ///< of the rule; absent where there is none
};

/// Each ruled name must be nobody else's. Of two that are ruled, the later one is told.
void require_distinct(const std::vector<Named>& names, std::string_view kind, RuleErrors& errors) {
  for (const Named& one : names) {
    if (one.place == nullptr) continue;
    const auto other = std::ranges::find_if(names, [&](const Named& another) {
      if (&another == &one || another.target != one.target) return false;
      return another.place == nullptr || *another.place < *one.place;
    });
    if (other == names.end()) continue;
    errors.add(*one.place, fmt::format("the name {} is that of the {} {}; give one of them another name",
                                       in_quotes(one.target), kind, in_quotes(other->source)));
  }
}

/// Gives the rules of one table to its columns.
class TableRules {
 public:
  TableRules(const FileTable& rules, MisfitRule on_misfit, SourceTable& table, RuleErrors& errors)
      : rules_(rules), on_misfit_(rules.on_misfit.value_or(on_misfit)), table_(table), errors_(errors) {}

  void apply(CasePolicy policy, std::vector<Untranslated>& skipped) {
    if (rules_.name) table_.ruled_name = rules_.name->value;
    set_inherited(on_misfit_, table_);
    file_columns_.resize(table_.table.columns.size());
    for (const FileColumn& column : rules_.columns) apply_column(column);
    if (!rules_.is_skipped) require_names(policy);
    skip_columns(skipped);
  }

  /// For a column without a rule of its own.
  static void set_inherited(MisfitRule rule, SourceTable& table) {
    for (std::size_t place = 0; place < table.rules.size(); ++place) {
      const bool is_null = rule == MisfitRule::null && takes_no_null(table, place);
      table.rules[place].on_misfit = is_null ? MisfitRule::reject : rule;
    }
  }

 private:
  static bool takes_no_null(const SourceTable& table, std::size_t place) {
    const sqlite::Column& column = table.table.columns[place];
    return column.is_not_null || column.primary_key_position > 0;
  }

  void apply_column(const FileColumn& rules) {
    const auto place = find_column(rules);
    if (!place) return;
    if (const FileColumn* earlier = std::exchange(file_columns_[*place], &rules)) {
      errors_.add(rules.source.place,
                  fmt::format("the column {} has rules in line {} already; put them together",
                              in_quotes(rules.source.value), earlier->source.place.line));
      return;
    }
    ColumnRule& rule = table_.rules[*place];
    if (rules.name) rule.name = rules.name->value;
    if (rules.type) set_type(rules, *place);
    if (rules.on_misfit) set_on_misfit(*rules.on_misfit, *place);
  }

  std::optional<std::size_t> find_column(const FileColumn& rules) {
    std::optional<std::size_t> found;
    std::vector<std::string> names;
    for (std::size_t place = 0; place < table_.table.columns.size(); ++place) {
      names.push_back(valid_text(table_.table.columns[place].name));
      if (!sql::equals_folded(names.back(), rules.source.value)) continue;
      if (found) {
        errors_.add(rules.source.place,
                    "this name stands for more than one column, whose names are not UTF-8; "
                    "rename one of them in a copy of the source");
        return std::nullopt;
      }
      found = place;
    }
    if (!found) {
      errors_.add(rules.source.place,
                  fmt::format("table {} has no column {}; {}", in_quotes(table_.table.name),
                              in_quotes(rules.source.value), did_you_mean(rules.source.value, names)));
    }
    return found;
  }

  void set_type(const FileColumn& rules, std::size_t place) {
    ColumnRule& rule = table_.rules[place];
    rule.type = rules.type->value;
    rule.has_time_form = rules.time.has_value();
    rule.place = rules.type->place;
    // A type that somebody gives is held, unless the column's own rule says otherwise.
    if (rule.on_misfit == MisfitRule::widen) rule.on_misfit = MisfitRule::reject;
    table_.interests[place] = interest_in(table_.declared[place], rule.type);
    const bool numbers_rows = is_rowid_column(place) || table_.kept_rowid == place;
    if (!numbers_rows || rule.type->type == TargetType::bigint) return;
    errors_.add(
        rules.type->place,
        fmt::format("{} is an INTEGER PRIMARY KEY, which numbers its rows; its type is bigint, so leave "
                    "'type' out",
                    in_quotes(rules.source.value)));
  }

  void set_on_misfit(const Placed<MisfitRule>& on_misfit, std::size_t place) {
    table_.rules[place].on_misfit = on_misfit.value;
    if (on_misfit.value != MisfitRule::null || !takes_no_null(table_, place)) return;
    const sqlite::Column& column = table_.table.columns[place];
    errors_.add(on_misfit.place,
                fmt::format("{} takes no NULL, for it is {}; write reject, fail or widen",
                            in_quotes(column.name), column.is_not_null ? "NOT NULL" : "in the primary key"));
  }

  bool is_rowid_column(std::size_t place) const {
    const std::vector<sqlite::Column>& columns = table_.table.columns;
    const auto keys = std::ranges::count_if(
        columns, [](const sqlite::Column& column) { return column.primary_key_position > 0; });
    return !table_.table.is_without_rowid && keys == 1 && columns[place].primary_key_position == 1 &&
           sql::equals_folded(columns[place].declared_type, "integer");
  }

  void require_names(CasePolicy policy) {
    std::vector<Named> names;
    for (std::size_t place = 0; place < table_.table.columns.size(); ++place) {
      const FileColumn* rules = file_columns_[place];
      if (rules != nullptr && rules->is_skipped) continue;
      const std::string& source = table_.table.columns[place].name;
      const std::string& ruled = table_.rules[place].name;
      if (ruled.empty()) {
        names.push_back({source, natural_name(policy, source), nullptr});
        continue;
      }
      names.push_back({source, ruled, &rules->name->place});
      if (!is_system_column(ruled)) continue;
      errors_.add(
          rules->name->place,
          fmt::format("PostgreSQL has the column {} in every table; give another name", in_quotes(ruled)));
    }
    require_distinct(names, "column", errors_);
    if (!names.empty()) return;
    errors_.add(rules_.source.place, fmt::format("every column of {} is skipped; skip the table itself",
                                                 in_quotes(table_.table.name)));
  }

  void skip_columns(std::vector<Untranslated>& skipped) {
    for (std::size_t place = file_columns_.size(); place-- > 0;) {
      if (file_columns_[place] == nullptr || !file_columns_[place]->is_skipped) continue;
      if (!rules_.is_skipped) {
        skipped.push_back({"column", table_.table.columns[place].name, table_.table.name,
                           std::string(left_out_by_rule) + ", and by views that select every column", ""});
      }
      table_.erase_column(place);
    }
  }

  const FileTable& rules_;
  MisfitRule on_misfit_;
  SourceTable& table_;
  RuleErrors& errors_;
  std::vector<const FileColumn*> file_columns_;  ///< by column
};

/// Gives the rules of a file to the tables of a schema.
class SchemaRules {
 public:
  SchemaRules(const RulesFile& file, CasePolicy policy, SourceSchema& schema, RuleErrors& errors)
      : file_(file), policy_(policy), schema_(schema), errors_(errors) {}

  void apply() {
    for (SourceTable& table : schema_.tables) TableRules::set_inherited(file_.on_misfit, table);
    file_tables_.resize(schema_.tables.size());
    for (const FileTable& rules : file_.tables) apply_table(rules);
    require_names();
    skip_tables();
  }

 private:
  void apply_table(const FileTable& rules) {
    const auto found = std::ranges::find_if(schema_.tables, [&](const SourceTable& table) {
      return sql::equals_folded(table.table.name, rules.source.value);
    });
    if (found == schema_.tables.end()) return refuse_table(rules.source);
    const auto place = static_cast<std::size_t>(found - schema_.tables.begin());
    if (const FileTable* earlier = std::exchange(file_tables_[place], &rules)) {
      errors_.add(rules.source.place,
                  fmt::format("the table {} has rules in line {} already; put them together",
                              in_quotes(rules.source.value), earlier->source.place.line));
      return;
    }
    TableRules(rules, file_.on_misfit, *found, errors_).apply(policy_, schema_.skipped);
  }

  void refuse_table(const Placed<std::string>& name) {
    for (const sqlite::Table& table : schema_.left_out) {
      if (!sql::equals_folded(table.name, name.value)) continue;
      errors_.add(name.place,
                  fmt::format("{} is not converted by itself; leave its rules out", in_quotes(name.value)));
      return;
    }
    std::vector<std::string> names;
    for (const SourceTable& table : schema_.tables) names.push_back(table.table.name);
    for (const SchemaEntry& entry : schema_.entries) {
      if (entry.type != "view" || !sql::equals_folded(entry.name, name.value)) continue;
      errors_.add(name.place,
                  fmt::format("{} is a view, and rules are for tables; leave it out", in_quotes(name.value)));
      return;
    }
    errors_.add(name.place, fmt::format("there is no table {}; {}", in_quotes(name.value),
                                        did_you_mean(name.value, names)));
  }

  bool is_skipped(std::size_t table) const {
    return file_tables_[table] != nullptr && file_tables_[table]->is_skipped;
  }

  void require_names() {
    std::vector<Named> names;
    for (std::size_t place = 0; place < schema_.tables.size(); ++place) {
      const SourceTable& table = schema_.tables[place];
      if (is_skipped(place)) continue;
      if (table.ruled_name.empty()) {
        names.push_back({table.table.name, natural_name(policy_, table.table.name), nullptr});
      } else {
        names.push_back({table.table.name, table.ruled_name, &file_tables_[place]->name->place});
      }
    }
    for (const SchemaEntry& entry : schema_.entries) {
      if (entry.type == "view") names.push_back({entry.name, natural_name(policy_, entry.name), nullptr});
    }
    require_distinct(names, "table or view", errors_);
  }

  void skip_tables() {
    for (std::size_t place = schema_.tables.size(); place-- > 0;) {
      if (!is_skipped(place)) continue;
      const SourceTable& table = schema_.tables[place];
      schema_.skipped.push_back({"table", table.table.name, "", std::string(left_out_by_rule), table.sql});
      schema_.tables.erase(schema_.tables.begin() + static_cast<std::ptrdiff_t>(place));
    }
    std::ranges::reverse(schema_.skipped);
  }

  const RulesFile& file_;
  CasePolicy policy_;
  SourceSchema& schema_;
  RuleErrors& errors_;
  std::vector<const FileTable*> file_tables_;  ///< by table
};

}  // namespace

void apply_rules(const RulesFile& file, CasePolicy case_policy, SourceSchema& schema, RuleErrors& errors) {
  SchemaRules(file, case_policy, schema, errors).apply();
}

}  // namespace nerve::convert
