// SPDX-License-Identifier: Apache-2.0
#include "salvage/table_shape.h"

#include "salvage/schema_entries.h"

#include <algorithm>
#include <map>

namespace nerve::backups::salvage {
namespace {

/// Longer text is no number, whatever it holds.
constexpr std::size_t numeric_text_bytes_max = 4096;

std::string in_capitals(std::string_view text) {
  std::string capitals(text);
  std::ranges::transform(capitals, capitals.begin(), [](unsigned char character) {
    return static_cast<char>(character >= 'a' && character <= 'z' ? character - ('a' - 'A') : character);
  });
  return capitals;
}

bool has_word(const std::string& type, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words,
                             [&](std::string_view word) { return type.find(word) != std::string::npos; });
}

constexpr bool is_space(char character) noexcept {
  return character == ' ' || (character >= '\t' && character <= '\r');
}

constexpr bool is_digit(char character) noexcept {
  return character >= '0' && character <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t place) noexcept {
  while (place < text.size() && is_digit(text[place])) ++place;
  return place;
}

bool value_fits(const StoredColumn& column, const Value& value, sqlite::TextEncoding encoding) {
  using sqlite::StorageClass;
  if (column.is_generated) return true;
  if (column.is_rowid) return value.type == StorageClass::null;
  if (value.type == StorageClass::null) return !column.is_not_null;
  switch (column.affinity) {
    case Affinity::blob:
      return true;
    case Affinity::text:
      return value.type == StorageClass::text || value.type == StorageClass::blob;
    case Affinity::numeric:
    case Affinity::real:
      return value.type != StorageClass::text || value.octets.size() > numeric_text_bytes_max ||
             !is_numeric_text(text_of(value, encoding));
  }
  return true;
}

/// The columns of the primary key come first in a table without rowid.
void put_key_first(std::vector<StoredColumn>& columns, const sqlite::Table& table) {
  std::map<std::string, int> place_in_key;
  for (const sqlite::Column& column : table.columns) place_in_key[column.name] = column.primary_key_position;
  const auto rank = [&](const StoredColumn& column) {
    const int place = place_in_key[column.name];
    return place > 0 ? place : std::numeric_limits<int>::max();
  };
  std::ranges::stable_sort(columns, {}, rank);
}

/// The column that is the rowid by another name: a key without an index of its own.
void mark_rowid(sqlite::Session& session, const sqlite::Table& table, TableShape& shape) {
  const auto in_key = [](const sqlite::Column& column) { return column.primary_key_position > 0; };
  if (std::ranges::count_if(table.columns, in_key) != 1) return;
  const std::int64_t indexes = session.integer("SELECT count(*) FROM pragma_index_list(" +
                                               sqlite::quote_text(table.name) + ") WHERE origin = 'pk'");
  if (indexes != 0) return;
  const auto key = std::ranges::find_if(table.columns, in_key);
  for (StoredColumn& column : shape.columns) column.is_rowid = column.name == key->name;
  shape.rowid = key->name;
}

}  // namespace

Affinity affinity_of(std::string_view declared_type, bool is_strict) {
  const std::string type = in_capitals(declared_type);
  if (is_strict && type == "ANY") return Affinity::blob;
  if (has_word(type, {"INT"})) return Affinity::numeric;
  if (has_word(type, {"CHAR", "CLOB", "TEXT"})) return Affinity::text;
  if (type.empty() || has_word(type, {"BLOB"})) return Affinity::blob;
  if (has_word(type, {"REAL", "FLOA", "DOUB"})) return Affinity::real;
  return Affinity::numeric;
}

bool is_numeric_text(std::string_view text) noexcept {
  std::size_t place = 0;
  while (place < text.size() && is_space(text[place])) ++place;
  if (place < text.size() && (text[place] == '-' || text[place] == '+')) ++place;
  const std::size_t whole = place;
  place = skip_digits(text, place);
  std::size_t digits = place - whole;
  if (place < text.size() && text[place] == '.') {
    const std::size_t fraction = ++place;
    place = skip_digits(text, place);
    digits += place - fraction;
  }
  if (digits == 0) return false;
  if (place < text.size() && (text[place] == 'e' || text[place] == 'E')) {
    ++place;
    if (place < text.size() && (text[place] == '-' || text[place] == '+')) ++place;
    const std::size_t exponent = place;
    place = skip_digits(text, place);
    if (place == exponent) return false;
  }
  while (place < text.size() && is_space(text[place])) ++place;
  return place == text.size();
}

bool TableShape::fits(const Record& record, sqlite::TextEncoding encoding) const {
  if (record.empty() || record.size() > columns.size()) return false;
  for (std::size_t place = 0; place < record.size(); ++place) {
    if (!value_fits(columns[place], record[place], encoding)) return false;
  }
  return std::all_of(columns.begin() + static_cast<std::ptrdiff_t>(record.size()), columns.end(),
                     [](const StoredColumn& column) { return column.may_be_missing; });
}

TableShape shape_of(sqlite::Session& session, const sqlite::Table& table) {
  TableShape shape;
  shape.name = table.name;
  shape.family = table.is_without_rowid ? Family::index : Family::table;
  std::map<std::string, std::string, std::less<>> defaults;
  session.each(
      "SELECT name, coalesce(dflt_value, '') FROM pragma_table_xinfo(" + sqlite::quote_text(table.name) + ")",
      [&](const sqlite::Row& row) { defaults[std::string(row.text(0))] = row.text(1); });
  for (const sqlite::Column& column : table.columns) {
    if (!column.is_stored) continue;
    // What is computed when a row is put in cannot stand for what a row of old was read with.
    const std::string expression = in_capitals(defaults[column.name]);
    const bool is_constant = !expression.starts_with("(") && !expression.starts_with("CURRENT_");
    shape.columns.push_back({.name = column.name,
                             .affinity = affinity_of(column.declared_type, table.is_strict),
                             .is_not_null = column.is_not_null,
                             .is_generated = column.is_generated,
                             .is_rowid = false,
                             .may_be_missing = is_constant && column.primary_key_position == 0 &&
                                               !(column.is_not_null && expression.empty())});
  }
  if (table.is_without_rowid) {
    put_key_first(shape.columns, table);
    return shape;
  }
  shape.rowid = sqlite::rowid_name(table);
  mark_rowid(session, table, shape);
  return shape;
}

}  // namespace nerve::backups::salvage
