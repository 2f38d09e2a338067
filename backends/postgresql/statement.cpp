// SPDX-License-Identifier: Apache-2.0
#include "postgresql/statement.h"

#include "postgresql/text_format.h"

#include <charconv>
#include <cstring>

namespace nerve::backends {

namespace {

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

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

void PostgresqlStatement::read(std::span<db::Cell> cells) {
  decoded_.resize(cells.size());
  for (std::size_t index = 0; index < cells.size(); ++index) {
    read_column(static_cast<int>(index), expected()[index], cells[index]);
  }
}

void PostgresqlStatement::read_column(int column, db::ValueType type, db::Cell& cell) {
  const PGresult* result = backend().result_;
  const int row = backend().currentRow_;
  cell.null = PQgetisnull(result, row, column) != 0;
  if (cell.null) return;
  const std::string_view text(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
  const auto position = static_cast<std::size_t>(column);
  bool understood = true;
  switch (type) {
    case db::ValueType::null:
    case db::ValueType::text:
      cell.octets = text;
      break;
    case db::ValueType::integer:
      understood = parse_number(text, cell.integer);
      break;
    case db::ValueType::boolean:
      understood = text == "t" || text == "f";
      cell.integer = text == "t" ? 1 : 0;
      break;
    case db::ValueType::real:
      understood = parse_number(text, cell.real);
      break;
    case db::ValueType::bytes:
      understood = decode_bytea(text, decoded_[position]);
      cell.octets = decoded_[position];
      break;
  }
  if (!understood) throw_wrong_type(position, type, "another type");
}

std::int64_t PostgresqlStatement::affected_rows() {
  PGresult* result = backend().result_.get_result();
  if (result == nullptr || std::strncmp(PQcmdStatus(result), "SELECT", 6) == 0) return 0;
  std::int64_t rows = 0;
  parse_number(std::string_view(PQcmdTuples(result)), rows);
  return rows;
}

void PostgresqlStatement::reset() noexcept {
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
