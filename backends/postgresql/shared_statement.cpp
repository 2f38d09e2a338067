// SPDX-License-Identifier: Apache-2.0
#include "postgresql/shared_statement.h"

#include "postgresql/row_reader.h"
#include "postgresql/text_format.h"
#include "soci/soci_statement.h"

#include "nerve/db/sql_scanner.h"

#include <algorithm>

namespace nerve::backends {

SharedStatement::SharedStatement(PostgresqlConnection& connection, const db::StatementText& statement)
    : connection_(connection), slots_(statement.parameters.size()) {
  // A number for each place, as SOCI has it: two places of one parameter may be of two types.
  std::size_t copied = 0;
  db::SqlScanner scanner(statement.sql, db::Dialect::postgresql);
  for (db::SqlToken token = scanner.next(); token.kind != db::SqlTokenKind::end; token = scanner.next()) {
    if (!token.is_symbol(':')) continue;
    const db::SqlToken name = scanner.next();
    const auto slot = std::ranges::find(statement.parameters, name.text);
    places_.push_back(static_cast<std::size_t>(slot - statement.parameters.begin()));
    sql_.append(statement.sql, copied, token.offset - copied).append("$" + std::to_string(places_.size()));
    copied = name.offset + name.text.size();
  }
  sql_.append(statement.sql, copied);

  const Result prepared(PQprepare(connection.handle(), "", sql_.c_str(), 0, nullptr));
  if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) connection.throw_error(prepared.get(), true);
  const Result described(PQdescribePrepared(connection.handle(), ""));
  if (PQresultStatus(described.get()) != PGRES_COMMAND_OK) connection.throw_error(described.get(), true);
  column_count_ = static_cast<std::size_t>(PQnfields(described.get()));
}

void SharedStatement::bind(std::size_t index, const db::Value& value) {
  Slot& slot = slots_[index];
  slot.text.clear();
  slot.is_null = value.type() == db::ValueType::null;
  if (!slot.is_null) append_text_format(value, slot.text);
}

void SharedStatement::expect(std::span<const db::ValueType> columns) {
  if (column_count_ != columns.size()) throw_column_count(columns.size(), column_count_);
  expected_.assign(columns.begin(), columns.end());
  decoded_.resize(columns.size());
}

std::vector<const char*> SharedStatement::values() const {
  std::vector<const char*> values;
  values.reserve(places_.size());
  for (const std::size_t place : places_) {
    values.push_back(slots_[place].is_null ? nullptr : slots_[place].text.c_str());
  }
  return values;
}

bool SharedStatement::start() {
  const std::vector<const char*> bound = values();
  result_.reset(PQexecParams(connection_.handle(), sql_.c_str(), static_cast<int>(bound.size()), nullptr,
                             bound.data(), nullptr, nullptr, 0));
  const ExecStatusType status = PQresultStatus(result_.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) connection_.throw_error(result_.get());
  row_ = 0;
  return PQntuples(result_.get()) > 0;
}

bool SharedStatement::start_streaming() {
  cursor_.emplace(connection_, sql_, values());
  return cursor_->next();
}

bool SharedStatement::next() {
  if (cursor_) return cursor_->next();
  return ++row_ < PQntuples(result_.get());
}

void SharedStatement::read(std::span<db::Cell> cells) {
  const PGresult* const result = cursor_ ? cursor_->portion() : result_.get();
  const int row = cursor_ ? cursor_->row() : row_;
  for (std::size_t index = 0; index < cells.size(); ++index) {
    read_cell(result, row, static_cast<int>(index), expected_[index], cells[index], decoded_[index]);
  }
}

std::int64_t SharedStatement::affected_rows() {
  return rows_changed(result_.get());
}

void SharedStatement::reset() noexcept {
  cursor_.reset();
  result_.reset();
  for (Slot& slot : slots_) slot = Slot();
}

}  // namespace nerve::backends
