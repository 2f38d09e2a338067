// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/catalogue.h"

#include "catalogue/create_table.h"
#include "catalogue/read_catalogue.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace nerve::migrations {

namespace {

bool is_relation(ObjectKind kind) {
  return kind == ObjectKind::table || kind == ObjectKind::view || kind == ObjectKind::materialized_view;
}

bool is_same_name(std::string_view left, std::string_view right, db::Dialect dialect) {
  return dialect == db::Dialect::sqlite ? folded(left) == folded(right) : left == right;
}

}  // namespace

std::string_view to_string(ObjectKind kind) noexcept {
  constexpr std::array<std::string_view, 11> names{
      "type",  "sequence", "function", "table", "view",      "materialized view",
      "index", "trigger",  "policy",   "rule",  "statistics"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view to_string(ConstraintKind kind) noexcept {
  constexpr std::array<std::string_view, 5> names{"primary key", "unique", "check", "foreign key",
                                                  "exclusion"};
  return names[static_cast<std::size_t>(kind)];
}

bool Object::has_property(std::string_view property) const noexcept {
  return std::ranges::find(properties, property) != properties.end();
}

const Column* Object::find_column(std::string_view column) const noexcept {
  const auto found = std::ranges::find(columns, column, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

const Constraint* Object::primary_key() const noexcept {
  const auto found = std::ranges::find(constraints, ConstraintKind::primary_key, &Constraint::kind);
  return found == constraints.end() ? nullptr : &*found;
}

std::string Object::title() const {
  std::string title(to_string(kind));
  title += ' ' + name;
  // Other names are the schema's, these are their table's.
  if (kind == ObjectKind::trigger || kind == ObjectKind::policy || kind == ObjectKind::rule)
    title += " on " + table;
  return title;
}

const Object* Catalogue::find(ObjectKind kind, std::string_view name, std::string_view table) const {
  const auto found = std::ranges::find_if(objects, [&](const Object& object) {
    return object.kind == kind && is_same_name(object.name, name, dialect) &&
           (table.empty() || is_same_name(object.table, table, dialect));
  });
  return found == objects.end() ? nullptr : &*found;
}

const Object* Catalogue::find_relation(std::string_view name) const {
  const auto found = std::ranges::find_if(objects, [&](const Object& object) {
    return is_relation(object.kind) && is_same_name(object.name, name, dialect);
  });
  return found == objects.end() ? nullptr : &*found;
}

std::size_t Catalogue::count(ObjectKind kind) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(objects, kind, &Object::kind));
}

Catalogue read_catalogue(db::Transaction& transaction, const Ledger& ledger) {
  LeftOut left_out;
  if (ledger.presence(transaction) == Ledger::Presence::present)
    left_out = {ledger.table(), ledger.events_table()};
  Catalogue catalogue = transaction.dialect() == db::Dialect::sqlite
                            ? read_sqlite_catalogue(transaction, left_out)
                            : read_postgresql_catalogue(transaction, left_out);
  std::ranges::sort(catalogue.objects, {},
                    [](const Object& object) { return std::tie(object.kind, object.table, object.name); });
  return catalogue;
}

std::string folded(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::vector<std::string> index_keys(std::string_view definition, db::Dialect dialect) {
  const Tokens tokens = tokens_of(definition, dialect);
  const auto open =
      std::ranges::find_if(tokens, [](const db::SqlToken& token) { return token.is_symbol('('); });
  std::vector<std::string> keys;
  if (open == tokens.end()) return keys;
  for (const Tokens& key : split_list(tokens, static_cast<std::size_t>(open - tokens.begin()))) {
    if (key.empty()) continue;
    const db::SqlToken& last = key.back();
    const std::size_t begin = key.front().offset;
    keys.push_back(key.size() == 1
                       ? stored_name(last)
                       : std::string(definition.substr(begin, last.offset + last.text.size() - begin)));
  }
  return keys;
}

}  // namespace nerve::migrations
