// SPDX-License-Identifier: Apache-2.0
#include "scan/table_scan.h"

#include "scan/column_scan.h"
#include "values/row_digest.h"

#include "nerve/backends/sqlite/schema.h"

#include <array>
#include <bit>
#include <span>

namespace nerve::convert {
namespace {

constexpr std::int64_t bytes_between_reports = 1024 * 1024;
constexpr std::int64_t row_overhead_bytes = 2;
constexpr std::int64_t field_overhead_bytes = 4;

std::string column_list(const TableQuery& table) {
  std::string list;
  for (const std::string& column : table.columns)
    list += (list.empty() ? "" : ", ") + sqlite::quote_identifier(column);
  return list;
}

/// Adds a value to the digest of its row: its storage class, its length where that is open, and its octets.
void digest_value(const sqlite::Value& value, DigestedRow& digest) {
  digest.add(static_cast<std::uint8_t>(value.storage_class));
  switch (value.storage_class) {
    case sqlite::StorageClass::null:
      return;
    case sqlite::StorageClass::integer:
      return digest.add(static_cast<std::uint64_t>(value.integer));
    case sqlite::StorageClass::real:
      return digest.add(std::bit_cast<std::uint64_t>(value.real));
    case sqlite::StorageClass::text:
    case sqlite::StorageClass::blob:
      return digest.add(as_bytes(value.octets));
  }
}

}  // namespace

std::string select_rows(const TableQuery& table) {
  const std::string name = "main." + sqlite::quote_identifier(table.name);
  if (table.rowid.empty()) return "SELECT " + column_list(table) + " FROM " + name;
  return "SELECT " + column_list(table) + ", " + table.rowid + " FROM " + name + " NOT INDEXED WHERE " +
         table.rowid + " BETWEEN ?1 AND ?2 ORDER BY " + table.rowid;
}

TablePart scan_part(sqlite::Session& session, const TableQuery& table, const RowidRange& part,
                    const std::vector<ColumnInterest>& interests, std::int64_t range_bytes,
                    const std::function<void(std::int64_t)>& on_bytes) {
  TablePart scanned;
  TableProfile& profile = scanned.profile;
  profile.name = table.name;
  profile.columns.resize(table.columns.size());
  const auto overhead =
      row_overhead_bytes + field_overhead_bytes * static_cast<std::int64_t>(table.columns.size());
  const int rowid_column = static_cast<int>(table.columns.size());
  std::int64_t bytes_in_range = range_bytes;
  std::int64_t unreported = 0;
  DigestedRow digest;
  DigestSum sum;
  const std::array<std::int64_t, 2> bounds{part.first, part.last};
  const auto parameters = table.rowid.empty() ? std::span<const std::int64_t>() : std::span(bounds);
  session.each(select_rows(table), parameters, [&](const sqlite::Row& row) {
    if (!table.rowid.empty() && bytes_in_range >= range_bytes) {
      profile.range_starts.push_back(row.integer(rowid_column));
      bytes_in_range = 0;
    }
    std::int64_t bytes = overhead;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const sqlite::Value value = row.value(static_cast<int>(i));
      bytes += count_value(value, interests[i], profile.columns[i]);
      digest_value(value, digest);
    }
    sum.add(digest.finish());
    ++profile.rows;
    profile.bytes += bytes;
    bytes_in_range += bytes;
    unreported += bytes;
    if (unreported >= bytes_between_reports) {
      on_bytes(unreported);
      unreported = 0;
    }
  });
  on_bytes(unreported);
  profile.digest_low = sum.low;
  profile.digest_high = sum.high;
  scanned.last_range_bytes = bytes_in_range;
  return scanned;
}

}  // namespace nerve::convert
