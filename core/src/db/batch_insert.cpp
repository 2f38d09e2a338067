// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/batch_insert.h"

#include <algorithm>
#include <utility>

namespace nerve::db {

namespace {

/// Whether an error is of the row itself, so that leaving the row out mends it.
bool is_of_the_row(ErrorKind kind) noexcept {
  return kind == ErrorKind::invalid || kind == ErrorKind::conflict || kind == ErrorKind::denied;
}

std::string make_insert_sql(const Identifier& table, const std::vector<Identifier>& columns) {
  std::string names;
  std::string places;
  for (const Identifier& column : columns) {
    names += (names.empty() ? "" : ", ") + column.quoted();
    places += (places.empty() ? ":" : ", :") + column.name();
  }
  return "INSERT INTO " + table.quoted() + " (" + names + ") VALUES (" + places + ")";
}

}  // namespace

BatchInsert::BatchInsert(Identifier table, std::vector<Identifier> columns, std::size_t chunk_rows)
    : table_(std::move(table)),
      columns_(std::move(columns)),
      chunk_rows_(chunk_rows == 0 ? chunk_rows_default : chunk_rows),
      insert_sql_(make_insert_sql(table_, columns_)) {}

BatchReport BatchInsert::run(Transaction& transaction, const RowSource& next) const {
  BatchReport report;
  std::vector<std::vector<Value>> chunk;
  chunk.reserve(chunk_rows_);
  for (std::vector<Value> row; next(row);) {
    chunk.push_back(std::move(row));
    row.clear();
    if (chunk.size() < chunk_rows_) continue;
    insert_chunk(transaction, chunk, report);
    chunk.clear();
  }
  insert_chunk(transaction, chunk, report);
  return report;
}

BatchReport BatchInsert::run(Transaction& transaction, std::span<const std::vector<Value>> rows) const {
  BatchReport report;
  while (!rows.empty()) {
    const auto chunk = rows.first(std::min(chunk_rows_, rows.size()));
    insert_chunk(transaction, chunk, report);
    rows = rows.subspan(chunk.size());
  }
  return report;
}

void BatchInsert::insert_chunk(Transaction& transaction, std::span<const std::vector<Value>> chunk,
                               BatchReport& report) const {
  if (chunk.empty()) return;
  try {
    transaction.savepoint([&] {
      BulkInsert bulk = transaction.bulk_insert(table_, columns_);
      for (const auto& row : chunk) bulk.add_row(row);
      bulk.finish();
    });
    report.total += chunk.size();
    report.inserted += chunk.size();
  } catch (const Error& error) {
    if (!is_of_the_row(error.kind())) throw;
    insert_singly(transaction, chunk, report);
  }
}

void BatchInsert::insert_singly(Transaction& transaction, std::span<const std::vector<Value>> chunk,
                                BatchReport& report) const {
  Statement insert = transaction.prepare(insert_sql_);
  std::vector<Parameter> parameters;
  for (const auto& row : chunk) {
    const std::size_t index = report.total++;
    try {
      if (row.size() != columns_.size()) {
        throw ValidationError("a row of " + std::to_string(row.size()) + " values for " +
                              std::to_string(columns_.size()) + " columns");
      }
      parameters.clear();
      for (std::size_t i = 0; i < row.size(); ++i) parameters.emplace_back(columns_[i].name(), row[i]);
      transaction.savepoint([&] { insert.execute(std::span<const Parameter>(parameters)); });
      ++report.inserted;
    } catch (const Error& error) {
      if (!is_of_the_row(error.kind())) throw;
      report.rejected.push_back({.index = index, .kind = error.kind(), .reason = error.what()});
    }
  }
}

}  // namespace nerve::db
