// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/bulk_insert.h"

#include "session.h"

#include <chrono>
#include <string>
#include <vector>

namespace nerve::db {

struct BulkInsert::State {
  Session& session;
  std::unique_ptr<BulkWriter> writer;
  std::size_t columns;
  QueryLog::Entry* log;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

BulkInsert::BulkInsert(Session& session, const Identifier& table, std::span<const Identifier> columns)
    : state_(new State{.session = session,
                       .writer = nullptr,
                       .columns = columns.size(),
                       .log = &session.log().entry("bulk insert into " + table.quoted())}) {
  if (columns.empty()) {
    throw ValidationError("a bulk insert into " + table.name() + " names no columns",
                          "Name the columns to be filled.");
  }
  state_->writer = session.guarded([&] { return session.connection().bulk_insert(table, columns); });
}

BulkInsert::BulkInsert(BulkInsert&&) noexcept = default;

BulkInsert::~BulkInsert() {
  // An abandoned stream leaves an unknown part of its rows behind: only a rollback makes that whole again.
  if (state_ && state_->writer) state_->session.mark_broken();
}

void BulkInsert::add_row(std::span<const Value> row) {
  if (row.size() != state_->columns) {
    throw ValidationError("a row of " + std::to_string(row.size()) + " values for " +
                              std::to_string(state_->columns) + " columns",
                          "Give a value for each column, in their order.");
  }
  for (const Value& value : row) require_bindable(value);
  state_->session.guarded([&] { state_->writer->add(row); });
}

std::int64_t BulkInsert::finish() {
  const std::int64_t rows = state_->session.guarded([&] { return state_->writer->finish(); });
  state_->log->record(std::chrono::steady_clock::now() - state_->started, static_cast<std::uint64_t>(rows),
                      false, state_->session.log().slow_threshold());
  state_->writer.reset();
  return rows;
}

}  // namespace nerve::db
