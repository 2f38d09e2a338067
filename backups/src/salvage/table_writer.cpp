// SPDX-License-Identifier: Apache-2.0
#include "salvage/table_writer.h"

#include "nerve/backends/sqlite/schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::backups::salvage {
namespace {

/// Records of more sizes than this are damaged ones; their statements are not worth keeping.
constexpr std::size_t statements_max = 16;

constexpr std::string_view does_not_fit = "its values are none that the columns hold";

std::uint64_t size_of_values(const Record& record) {
  std::uint64_t size_bytes = 0;
  for (const Value& value : record) size_bytes += value.octets.size();
  return size_bytes;
}

}  // namespace

std::string_view reason_of(Doubt doubt) noexcept {
  switch (doubt) {
    case Doubt::none:
      return {};
    case Doubt::key_out_of_order:
      return "its key is out of order";
    case Doubt::cell_overlapped:
      return "another row claims its bytes";
    case Doubt::damaged:
      return "its record is damaged: values may be wrong";
    case Doubt::cut:
      return "cut: its overflow pages are lost";
    case Doubt::overflow_shared:
      return "another row claims its overflow pages";
  }
  return {};
}

bool TableWriter::put(const TreeRow& row) {
  // With another number of values it is no row of this table, nor of any other.
  if (row.doubt == Doubt::damaged && row.record.size() != shape_.columns.size()) {
    ++report_.broken_cells;
    return false;
  }
  std::string reason(reason_of(row.doubt));
  if (reason.empty() && !shape_.fits(row.record, database_.encoding())) reason = does_not_fit;
  if (reason.empty()) {
    if (insert(row, reason)) {
      ++report_.rows;
      values_min_ = std::min(values_min(), row.record.size());
      database_.note_row(size_of_values(row.record));
      return true;
    }
    reason = fmt::format("refused: {}", reason);
  }
  ++report_.lost_and_found;
  lost_.add({root_page_, row.page, row.key, shape_.name, reason}, row.record);
  return false;
}

bool TableWriter::insert(const TreeRow& row, std::string& refusal) {
  ::sqlite3_stmt* statement = statement_for(row.record.size());
  int place = 1;
  if (!shape_.rowid.empty() && row.key) {
    database_.bind(statement, place++, {.type = sqlite::StorageClass::integer, .integer = *row.key});
  }
  for (std::size_t value = 0; value < row.record.size(); ++value) {
    const StoredColumn& column = shape_.columns[value];
    if (!column.is_generated && !column.is_rowid) database_.bind(statement, place++, row.record[value]);
  }
  return database_.run(statement, refusal);
}

/// Columns that a record is too short for are left out, so that they get the default with which they were
/// added.
::sqlite3_stmt* TableWriter::statement_for(std::size_t values) {
  StatementHandle& statement = statements_[values];
  if (statement) return statement.get();
  std::string columns;
  std::string places;
  const auto add = [&](const std::string& name) {
    columns += (columns.empty() ? "" : ", ") + sqlite::quote_identifier(name);
    places += places.empty() ? "?" : ", ?";
  };
  if (!shape_.rowid.empty()) add(shape_.rowid);
  for (std::size_t place = 0; place < values; ++place) {
    const StoredColumn& column = shape_.columns[place];
    if (!column.is_generated && !column.is_rowid) add(column.name);
  }
  const std::string table = sqlite::quote_identifier(shape_.name);
  // ABORT, so that no clause of the schema makes SQLite drop a row or replace another one silently.
  const std::string sql = columns.empty()
                              ? fmt::format("INSERT OR ABORT INTO {} DEFAULT VALUES", table)
                              : fmt::format("INSERT OR ABORT INTO {}({}) VALUES({})", table, columns, places);
  StatementHandle prepared = database_.prepare(sql);
  if (statements_.size() > statements_max) {
    statements_.clear();
    return (statements_[values] = std::move(prepared)).get();
  }
  statement = std::move(prepared);
  return statement.get();
}

}  // namespace nerve::backups::salvage
