// SPDX-License-Identifier: Apache-2.0
#include "postgresql/statement.h"

#include "postgresql/row_reader.h"
#include "postgresql/text_format.h"

namespace nerve::backends {

PostgresqlStatement::PostgresqlStatement(PostgresqlConnection& connection, const db::StatementText& statement)
    : SociStatement(connection.session()), connection_(connection), slots_(statement.parameters.size()) {
  try {
    backend().prepare(statement.sql, soci::details::st_repeatable_query);
  } catch (const soci::soci_error&) {
    connection.throw_error(nullptr, true);
  }
  backend().hasUseElements_ = !slots_.empty();
  for (std::size_t index = 0; index < slots_.size(); ++index) {
    backend().useByNameBuffers_[statement.parameters[index]] = &slots_[index].pointer;
  }
}

void PostgresqlStatement::bind(std::size_t index, const db::Value& value) {
  Slot& slot = slots_[index];
  slot.pointer = nullptr;
  if (value.type() == db::ValueType::null) return;
  slot.text.clear();
  append_text_format(value, slot.text);
  slot.pointer = slot.text.data();
}

bool PostgresqlStatement::start_streaming() {
  // SOCI has numbered the parameters: one number for each place where one stands.
  std::vector<const char*> values;
  for (const std::string& name : backend().names_) values.push_back(*backend().useByNameBuffers_.at(name));
  cursor_.emplace(connection_, backend().query_, values);
  return cursor_->next();
}

bool PostgresqlStatement::next() {
  return cursor_ ? cursor_->next() : SociStatement::next();
}

void PostgresqlStatement::read(std::span<db::Cell> cells) {
  decoded_.resize(cells.size());
  const PGresult* const result = cursor_ ? cursor_->portion() : backend().result_.get_result();
  const int row = cursor_ ? cursor_->row() : backend().currentRow_;
  for (std::size_t index = 0; index < cells.size(); ++index) {
    read_cell(result, row, static_cast<int>(index), expected()[index], cells[index], decoded_[index]);
  }
}

std::int64_t PostgresqlStatement::affected_rows() {
  return rows_changed(backend().result_.get_result());
}

void PostgresqlStatement::reset() noexcept {
  cursor_.reset();
  backend().result_.reset();
  for (Slot& slot : slots_) {
    slot.pointer = nullptr;
    slot.text.clear();
  }
}

void PostgresqlStatement::require_column_count(std::size_t count) {
  if (column_count_ < 0) {
    PGresult* described = PQdescribePrepared(connection_.handle(), backend().statementName_.c_str());
    if (PQresultStatus(described) == PGRES_COMMAND_OK) column_count_ = PQnfields(described);
    PQclear(described);
    if (column_count_ < 0) connection_.throw_error(nullptr, true);
  }
  const auto found = static_cast<std::size_t>(column_count_);
  if (found != count) throw_column_count(count, found);
}

void PostgresqlStatement::throw_present_error() {
  // SOCI keeps the failed result, whose fields name the constraint.
  connection_.throw_error(backend().result_);
}

}  // namespace nerve::backends
