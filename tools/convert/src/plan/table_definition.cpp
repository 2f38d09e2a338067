// SPDX-License-Identifier: Apache-2.0
#include "plan/table_definition.h"

#include "sql/tokens.h"
#include "target/table_sql.h"
#include "values/iso_time.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/core/error.h"

#include <algorithm>
#include <utility>

namespace nerve::convert {

sql::Collation read_collation(std::string_view name) noexcept {
  if (sql::equals_folded(name, "nocase")) return sql::Collation::nocase;
  if (sql::equals_folded(name, "rtrim")) return sql::Collation::rtrim;
  return sql::equals_folded(name, "binary") ? sql::Collation::binary : sql::Collation::unknown;
}

namespace {

sql::Collation collation_of(const DefinedTable& table, std::size_t place) {
  const sql::ColumnDefinition* column = table.column_definition(place);
  const auto* rule = column == nullptr ? nullptr : sql::find_rule<sql::ColumnCollation>(*column);
  return rule == nullptr ? sql::Collation::binary : read_collation(rule->collation.text);
}

/// The column that a term names, with COLLATE or without; null for another expression.
const sql::ColumnName* column_name_of(const sql::OrderingTerm& term) noexcept {
  const sql::Expression* expression = term.expression.get();
  if (const auto* collate = std::get_if<sql::Collate>(&expression->node)) expression = collate->operand.get();
  return std::get_if<sql::ColumnName>(&expression->node);
}

/// Collects the keys of a table's definition.
class KeyReader {
 public:
  KeyReader(DefinedTable& table, std::vector<Untranslated>& untranslated)
      : table_(table), untranslated_(untranslated) {}

  void read() {
    for (const sql::ColumnDefinition& column : table_.definition->columns) {
      const auto place = table_.column(column.name.text);
      for (const sql::Constraint& constraint : column.constraints) {
        if (place) {
          read_constraint(constraint, *place);
        } else if (std::holds_alternative<sql::PrimaryKey>(constraint.rule) ||
                   std::holds_alternative<sql::Unique>(constraint.rule)) {
          list_lost(std::holds_alternative<sql::PrimaryKey>(constraint.rule), column.name.text);
        }
      }
    }
    for (const sql::Constraint& constraint : table_.definition->constraints)
      read_constraint(constraint, std::nullopt);
  }

 private:
  void read_constraint(const sql::Constraint& constraint, std::optional<std::size_t> column) {
    Key key;
    key.name = constraint.name.text;
    const std::vector<sql::OrderingTerm>* terms = nullptr;
    if (const auto* primary = std::get_if<sql::PrimaryKey>(&constraint.rule)) {
      key.is_primary = true;
      key.is_descending = primary->is_descending;
      key.conflict = primary->conflict;
      terms = &primary->terms;
      table_.is_autoincrement = table_.is_autoincrement || primary->is_autoincrement;
    } else if (const auto* unique = std::get_if<sql::Unique>(&constraint.rule)) {
      key.conflict = unique->conflict;
      terms = &unique->terms;
    } else {
      return;
    }
    key.terms = terms->size() + (column ? 1 : 0);
    if (column) {
      key.columns.push_back(*column);
      key.collations.push_back(collation_of(table_, *column));
    }
    for (const sql::OrderingTerm& term : *terms) {
      if (!add_term(term, key)) return list_lost(key.is_primary, column_names_of(*terms));
    }
    table_.keys.push_back(std::move(key));
  }

  static std::string column_names_of(const std::vector<sql::OrderingTerm>& terms) {
    std::string names;
    for (const sql::OrderingTerm& term : terms) {
      if (const sql::ColumnName* name = column_name_of(term))
        names += (names.empty() ? "" : ", ") + name->column.text;
    }
    return names;
  }

  /// `column` or `column COLLATE name`.
  bool add_term(const sql::OrderingTerm& term, Key& key) {
    const auto place = table_.column(term);
    if (!place) return false;
    const auto* collate = std::get_if<sql::Collate>(&term.expression->node);
    const sql::Collation collation =
        collate != nullptr ? read_collation(collate->collation.text) : collation_of(table_, *place);
    const auto known = std::ranges::find(key.columns, *place);
    if (known == key.columns.end()) {
      key.columns.push_back(*place);
      key.collations.push_back(collation);
      return true;
    }
    // Of a column that is named twice, the collation by which fewer values are equal decides.
    sql::Collation& first = key.collations[static_cast<std::size_t>(known - key.columns.begin())];
    if (first != collation) first = sql::Collation::binary;
    return true;
  }

  /// A key goes with a column that is left out.
  void list_lost(bool is_primary, const std::string& name) {
    untranslated_.push_back({is_primary ? "primary key" : "unique key", name, table_.source->table.name,
                             "a column of it is left out", ""});
  }

  DefinedTable& table_;
  std::vector<Untranslated>& untranslated_;
};

/// The column that is the rowid under another name: the only one of the primary key, of the very type
/// INTEGER, and by SQLite's accident not where a column's own PRIMARY KEY is followed by DESC.
std::optional<std::size_t> find_rowid_column(const DefinedTable& table) {
  if (table.definition->is_without_rowid) return std::nullopt;
  for (const Key& key : table.keys) {
    if (!key.is_primary || key.terms != 1 || key.is_descending) continue;
    const sql::ColumnDefinition* column = table.column_definition(key.columns.front());
    if (column != nullptr && sql::equals_folded(column->type, "integer")) return key.columns.front();
  }
  return std::nullopt;
}

/// Implicit rowids number the rows as an INTEGER PRIMARY KEY does, and are the key where there is none.
void number_by_kept_rowid(DefinedTable& table) {
  const std::size_t place = *table.source->kept_rowid;
  const bool has_primary = std::ranges::any_of(table.keys, &Key::is_primary);
  table.rowid_column = place;
  table.keys.push_back(
      {.name = "", .is_primary = !has_primary, .columns = {place}, .collations = {sql::Collation::binary}});
}

/// Beyond this, the shortest decimal text of a real and an integer could meet.
constexpr std::int64_t exact_integer_max = std::int64_t{1} << 52;

sql::TargetType expression_type(const ColumnPlan& plan, const ColumnProfile& profile) {
  if (plan.changed > 0) return sql::TargetType::unknown;
  switch (plan.type.type) {
    case TargetType::boolean:
      return sql::TargetType::boolean;
    case TargetType::bigint:
      return sql::TargetType::bigint;
    case TargetType::double_precision:
      return sql::TargetType::double_precision;
    case TargetType::numeric: {
      const bool is_small = profile.integers == 0 || (profile.integer_max < exact_integer_max &&
                                                      profile.integer_min > -exact_integer_max);
      return is_small ? sql::TargetType::numeric : sql::TargetType::unknown;
    }
    case TargetType::text:
      return sql::TargetType::text;
    case TargetType::varchar:
      return sql::TargetType::varchar;
    case TargetType::bytea:
      return sql::TargetType::bytea;
    case TargetType::date:
      return sql::TargetType::date;
    case TargetType::timestamp:
      return sql::TargetType::timestamp;
    case TargetType::timestamptz:
      return sql::TargetType::timestamptz;
    case TargetType::json:
      // Its numbers were numbers to SQLite, and are text here.
      return profile.integers + profile.reals > 0 ? sql::TargetType::unknown : sql::TargetType::json;
    case TargetType::uuid:
      return sql::TargetType::uuid;
  }
  return sql::TargetType::unknown;
}

/// Integers that a rule makes reals are divided as integers in SQLite all the same.
bool is_mixed(const ColumnPlan& plan, const ColumnProfile& profile) noexcept {
  return profile.integers > 0 && (profile.reals > 0 || plan.type.type == TargetType::double_precision);
}

sql::TimeForm expression_time_form(const ColumnPlan& plan, const ColumnProfile& profile) {
  if (plan.type.time == TimeForm::julian_day || profile.texts_with_fraction > 0)
    return sql::TimeForm::unknown;
  // A rule may make a date of moments, or a timestamp of what others are given a zone for.
  if (plan.type.time != TimeForm::iso_text && plan.type.type != TargetType::timestamptz)
    return sql::TimeForm::unknown;
  if (plan.type.time == TimeForm::epoch_seconds) return sql::TimeForm::epoch_seconds;
  if (plan.type.time == TimeForm::epoch_milliseconds) return sql::TimeForm::epoch_milliseconds;
  const auto only = [&](IsoForm form) {
    return profile.texts_of_iso_form[static_cast<std::size_t>(form)] == profile.values();
  };
  if (plan.type.type == TargetType::date)
    return only(IsoForm::date) ? sql::TimeForm::date : sql::TimeForm::unknown;
  if (plan.type.type != TargetType::timestamp) return sql::TimeForm::unknown;
  // Where there are no values yet, those to come are taken to be in SQLite's own form.
  if (only(IsoForm::space_seconds)) return sql::TimeForm::datetime;
  return only(IsoForm::t_seconds) ? sql::TimeForm::datetime_t : sql::TimeForm::unknown;
}

}  // namespace

std::optional<std::size_t> DefinedTable::column(std::string_view name) const noexcept {
  for (std::size_t place = 0; place < source->table.columns.size(); ++place) {
    if (sql::equals_folded(source->table.columns[place].name, name)) return place;
  }
  return std::nullopt;
}

std::optional<std::size_t> DefinedTable::column(const sql::OrderingTerm& term) const noexcept {
  const sql::ColumnName* name = column_name_of(term);
  return name == nullptr ? std::nullopt : column(name->column.text);
}

const sql::ColumnDefinition* DefinedTable::column_definition(std::size_t place) const noexcept {
  if (!definition) return nullptr;
  for (const sql::ColumnDefinition& one : definition->columns) {
    if (sql::equals_folded(one.name.text, source->table.columns[place].name)) return &one;
  }
  return nullptr;
}

std::vector<std::size_t> DefinedTable::primary_key() const {
  for (const Key& key : keys) {
    // Foreign keys cannot name implicit rowids.
    const bool is_implicit = source->kept_rowid && key.columns.front() == *source->kept_rowid;
    if (key.is_primary && !is_implicit) return key.columns;
  }
  return {};
}

DefinedTable define_table(const SourceTable& source, const TableProfile& profile,
                          std::vector<Untranslated>& untranslated) {
  DefinedTable table;
  table.source = &source;
  table.profile = &profile;
  if (source.table.kind == sqlite::TableKind::virtual_table) {
    if (!source.key_of_module) return table;
    const std::size_t key = *source.key_of_module;
    if (profile.columns[key].integers < profile.rows) return table;
    table.rowid_column = key;
    table.keys.push_back(
        {.name = "", .is_primary = true, .columns = {key}, .collations = {sql::Collation::binary}});
    return table;
  }
  try {
    table.definition = sql::parse_create_table(source.sql);
  } catch (const ValidationError& error) {
    untranslated.push_back({"constraints", source.table.name, source.table.name,
                            std::string("the definition cannot be read: ") + error.what(), source.sql});
    return table;
  }
  KeyReader(table, untranslated).read();
  table.rowid_column = find_rowid_column(table);
  if (!table.rowid_column && source.kept_rowid) number_by_kept_rowid(table);
  return table;
}

void fill_environment(DefinedTable& table, const TablePlan& plan, const std::string& schema) {
  table.environment.name = plan.source;
  table.environment.target = qualified_name(schema, plan.target);
  for (std::size_t place = 0; place < plan.columns.size(); ++place) {
    const ColumnPlan& column = plan.columns[place];
    const ColumnProfile& profile = table.profile->columns[place];
    table.environment.columns.push_back({.name = column.source,
                                         .target = postgresql::quote_identifier(column.target),
                                         .type = expression_type(column, profile),
                                         .affinity = sql::affinity_of(column.declared),
                                         .collation = collation_of(table, place),
                                         .is_not_null = column.is_not_null,
                                         .is_rowid = table.rowid_column == place,
                                         .is_implicit = table.source->kept_rowid == place,
                                         .may_be_infinite = profile.reals_infinite > 0,
                                         .is_mixed = is_mixed(column, profile),
                                         .time_form = expression_time_form(column, profile)});
  }
}

}  // namespace nerve::convert
