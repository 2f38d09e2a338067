// SPDX-License-Identifier: Apache-2.0
#include "postgresql/cursor.h"

#include "soci/soci_statement.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace nerve::backends {

namespace {

constexpr int portion_rows_first = 50;
constexpr int portion_rows_max = 1000;
constexpr std::size_t portion_bytes = 1024UL * 1024;

/// What the server answers to DECLARE for a statement that it has prepared without complaint, and that is no
/// query or changes rows within one.
bool is_refusal_of_statement(const PGresult* result) {
  constexpr std::array states{"42601", "42P11", "0A000"};
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state != nullptr && std::ranges::find(states, std::string_view(state)) != states.end();
}

/// How many rows like those of a portion take about portion_bytes.
int rows_that_fit(const PGresult* portion) {
  const auto rows = static_cast<std::size_t>(std::max(1, PQntuples(portion)));
  const std::size_t row_bytes = std::max<std::size_t>(1, PQresultMemorySize(portion) / rows);
  return static_cast<int>(std::clamp<std::size_t>(portion_bytes / row_bytes, 1, portion_rows_max));
}

}  // namespace

Cursor::Cursor(PostgresqlConnection& connection, const std::string& sql, std::span<const char* const> values)
    : connection_(connection), portion_rows_(portion_rows_first) {
  // By how many are open: the one that was opened last is closed first.
  name_ = "nerve_cursor_" + std::to_string(connection.open_cursors() + 1);
  const std::string declare = "DECLARE " + name_ + " NO SCROLL CURSOR FOR " + sql;
  const Result declared(PQexecParams(connection.handle(), declare.c_str(), static_cast<int>(values.size()),
                                     nullptr, values.data(), nullptr, nullptr, 0));
  if (PQresultStatus(declared.get()) != PGRES_COMMAND_OK) {
    if (is_refusal_of_statement(declared.get())) throw_not_a_query();
    connection.throw_error(declared.get());
  }
  connection.count_cursor(1);
}

Cursor::~Cursor() {
  connection_.count_cursor(-1);
  // A transaction that failed closes its cursors when it, or its savepoint, is rolled back.
  if (PQtransactionStatus(connection_.handle()) != PQTRANS_INTRANS) return;
  PQclear(PQexec(connection_.handle(), ("CLOSE " + name_).c_str()));
}

bool Cursor::next() {
  if (++row_ < PQntuples(portion_.get())) return true;
  if (is_at_end_) return false;
  fetch();
  return PQntuples(portion_.get()) > 0;
}

void Cursor::fetch() {
  portion_.reset();  // before the next one, so that there are never two
  const std::string sql = "FETCH FORWARD " + std::to_string(portion_rows_) + " FROM " + name_;
  portion_.reset(PQexec(connection_.handle(), sql.c_str()));
  if (PQresultStatus(portion_.get()) != PGRES_TUPLES_OK) connection_.throw_error(portion_.get());
  is_at_end_ = PQntuples(portion_.get()) < portion_rows_;
  portion_rows_ = rows_that_fit(portion_.get());
  row_ = 0;
}

}  // namespace nerve::backends
