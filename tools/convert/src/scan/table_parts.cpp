// SPDX-License-Identifier: Apache-2.0
#include "scan/table_parts.h"

#include "nerve/backends/sqlite/schema.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace nerve::convert {
namespace {

/// A table with fewer rowids than this is read in less time than a thread needs to begin.
constexpr std::uint64_t rowids_min = 20'000;
constexpr std::uint64_t parts_max = 8;

void join(const ColumnProfile& other, ColumnProfile& column) {
  static_assert(sizeof(ColumnProfile) == 33 * sizeof(std::int64_t),
                "each member must be joined; held_misfits are counted later");
  const auto counts = {
      &ColumnProfile::nulls,
      &ColumnProfile::integers,
      &ColumnProfile::reals,
      &ColumnProfile::texts,
      &ColumnProfile::blobs,
      &ColumnProfile::integers_beyond_double,
      &ColumnProfile::integers_as_seconds,
      &ColumnProfile::integers_as_milliseconds,
      &ColumnProfile::reals_infinite,
      &ColumnProfile::reals_negative_zero,
      &ColumnProfile::reals_as_julian_days,
      &ColumnProfile::texts_with_nul,
      &ColumnProfile::texts_not_utf8,
      &ColumnProfile::texts_with_fraction,
      &ColumnProfile::texts_as_json,
      &ColumnProfile::texts_as_uuid,
      &ColumnProfile::bytes,
  };
  for (const auto count : counts) column.*count += other.*count;
  const auto maxima = {&ColumnProfile::integer_max, &ColumnProfile::text_characters_max,
                       &ColumnProfile::text_bytes_max, &ColumnProfile::blob_bytes_max};
  for (const auto maximum : maxima) column.*maximum = std::max(column.*maximum, other.*maximum);
  column.integer_min = std::min(column.integer_min, other.integer_min);
  column.integer_digits_max = std::max(column.integer_digits_max, other.integer_digits_max);
  column.fraction_digits_max = std::max(column.fraction_digits_max, other.fraction_digits_max);
  for (std::size_t form = 0; form < column.texts_of_iso_form.size(); ++form)
    column.texts_of_iso_form[form] += other.texts_of_iso_form[form];
}

}  // namespace

std::vector<RowidRange> table_parts(sqlite::Session& session, const TableQuery& table) {
  std::vector<RowidRange> parts(1);
  if (table.rowid.empty()) return parts;
  const std::string name = "main." + sqlite::quote_identifier(table.name);
  std::uint64_t first = 0;
  std::uint64_t span = 0;
  // Each is found at one end of the table. NOT INDEXED, because a damaged index must not say where rows are.
  session.each("SELECT (SELECT min(" + table.rowid + ") FROM " + name + " NOT INDEXED), (SELECT max(" +
                   table.rowid + ") FROM " + name + " NOT INDEXED)",
               [&](const sqlite::Row& row) {
                 if (row.is_null(0)) return;
                 first = static_cast<std::uint64_t>(row.integer(0));
                 span = static_cast<std::uint64_t>(row.integer(1)) - first;
               });
  if (span < rowids_min) return parts;
  const std::uint64_t step = span / parts_max + 1;
  for (std::uint64_t part = 1; part < parts_max; ++part) {
    const auto begin = static_cast<std::int64_t>(first + part * step);
    parts.back().last = begin - 1;
    parts.push_back({.first = begin});
  }
  return parts;
}

TableProfile join_parts(std::vector<TablePart> parts, std::int64_t range_bytes) {
  TableProfile whole = std::move(parts.front().profile);
  std::int64_t bytes = whole.range_starts.empty() ? 0 : parts.front().last_range_bytes;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const TableProfile& part = parts[i].profile;
    if (part.rows == 0) continue;
    whole.rows += part.rows;
    whole.bytes += part.bytes;
    whole.digest_low += part.digest_low;
    whole.digest_high += part.digest_high;
    for (std::size_t column = 0; column < whole.columns.size(); ++column)
      join(part.columns[column], whole.columns[column]);
    // The part's first range goes on with the last one where both are small.
    const std::int64_t first_range = part.range_starts.size() == 1 ? parts[i].last_range_bytes : range_bytes;
    const bool goes_on = !whole.range_starts.empty() && bytes + first_range <= range_bytes;
    whole.range_starts.insert(whole.range_starts.end(), part.range_starts.begin() + (goes_on ? 1 : 0),
                              part.range_starts.end());
    bytes = parts[i].last_range_bytes + (goes_on ? bytes : 0);
  }
  return whole;
}

}  // namespace nerve::convert
