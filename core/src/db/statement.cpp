// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/statement.h"

#include "session.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <chrono>
#include <string>

namespace nerve::db {

namespace {

std::int64_t monotonic_ns() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

/// Binds each parameter where its name stands; most callers give them in the statement's order, which is
/// tried first.
void bind_parameters(CachedStatement& statement, Parameters parameters) {
  const std::vector<std::string>& names = statement.text.parameters;
  if (parameters.size() != names.size()) {
    throw ValidationError("the statement has " + std::to_string(names.size()) + " parameters, " +
                              std::to_string(parameters.size()) + " were given",
                          "Bind every name of the statement exactly once.");
  }
  std::size_t position = 0;
  for (const Parameter& parameter : parameters) {
    std::size_t index = position;
    if (names[index] != parameter.name) {
      const auto found = std::find(names.begin(), names.end(), parameter.name);
      const bool given_twice = std::any_of(parameters.begin(), &parameter, [&](const Parameter& other) {
        return other.name == parameter.name;
      });
      if (found == names.end() || given_twice) {
        throw ValidationError(
            std::string(given_twice ? "a parameter is bound twice: :" : "the statement has no parameter :") +
                std::string(parameter.name),
            "Bind every name of the statement exactly once.");
      }
      index = static_cast<std::size_t>(found - names.begin());
    }
    require_bindable(parameter.value);
    statement.prepared->bind(index, parameter.value);
    ++position;
  }
}

}  // namespace

Statement::~Statement() {
  if (cached_ != nullptr) session_->release(*cached_);
}

std::int64_t Statement::execute(Parameters parameters) {
  Execution execution(*this);
  execution.start(parameters, {});
  const std::int64_t rows = execution.affected_rows();
  execution.succeed(static_cast<std::uint64_t>(std::max<std::int64_t>(rows, 0)));
  return rows;
}

std::optional<std::vector<Value>> Statement::maybe_values(Parameters parameters,
                                                          std::span<const ValueType> types) {
  std::optional<std::vector<Value>> row;
  std::vector<Cell> cells(types.size());
  Execution execution(*this);
  if (execution.start(parameters, types)) {
    execution.read(cells);
    row.emplace();
    for (std::size_t index = 0; index < cells.size(); ++index)
      row->push_back(kept_value(cells[index], types[index]));
    execution.require_end();
  }
  execution.succeed(row ? 1 : 0);
  return row;
}

void Statement::throw_no_row() const {
  throw NotFoundError("the query found no row where one was expected",
                      "Check that what the query looks for exists.");
}

Statement::Execution::Execution(Statement& statement) noexcept
    : statement_(statement), started_ns_(monotonic_ns()) {}

Statement::Execution::~Execution() {
  CachedStatement& cached = *statement_.cached_;
  cached.prepared->reset();
  QueryLog& log = statement_.session_->log();
  cached.log->record(std::chrono::nanoseconds(monotonic_ns() - started_ns_), rows_, !succeeded_,
                     log.slow_threshold());
}

bool Statement::Execution::start(Parameters parameters, std::span<const ValueType> columns,
                                 Delivery delivery) {
  Session& session = *statement_.session_;
  CachedStatement& cached = *statement_.cached_;
  session.require_intact();
  bind_parameters(cached, parameters);
  if (!columns.empty() && (!cached.expects || !std::ranges::equal(cached.expected, columns))) {
    cached.prepared->expect(columns);
    cached.expected.assign(columns.begin(), columns.end());
    cached.expects = true;
  }
  return session.guarded([&] {
    return delivery == Delivery::whole ? cached.prepared->start() : cached.prepared->start_streaming();
  });
}

bool Statement::Execution::next() {
  return statement_.session_->guarded([&] { return statement_.cached_->prepared->next(); });
}

void Statement::Execution::read(std::span<Cell> cells) {
  statement_.cached_->prepared->read(cells);
}

void Statement::Execution::require_end() {
  if (!next()) return;
  throw DatabaseError(ErrorKind::failure, "the query found several rows where one was expected",
                      "Narrow the query to one row, or read with each().");
}

std::int64_t Statement::Execution::affected_rows() {
  return statement_.cached_->prepared->affected_rows();
}

void Statement::Execution::succeed(std::uint64_t rows) noexcept {
  rows_ = rows;
  succeeded_ = true;
}

}  // namespace nerve::db
