// SPDX-License-Identifier: Apache-2.0
#include "convert/sql/engines.h"

#include "sql/postgresql/quote.h"
#include "support/postgres_server.h"

#include <doctest/doctest.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace nerve::test {
namespace {

using convert::sql::Affinity;
using convert::sql::Collation;
using convert::sql::Column;
using convert::sql::Table;
using convert::sql::TargetType;
using convert::sql::TimeForm;

std::string number_text(double value) {
  std::array<char, 40> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), "%.17g", value);
  return "number " + std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::string number_text(const std::string& digits) {
  return "number " + digits;
}

std::string hex_text(const unsigned char* bytes, std::size_t size) {
  std::string text = "blob ";
  for (std::size_t i = 0; i < size; ++i) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", bytes[i]);
    text += digits.data();
  }
  return text;
}

std::string sqlite_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return "null";
    case SQLITE_INTEGER:
      return number_text(std::to_string(sqlite3_column_int64(statement, column)));
    case SQLITE_FLOAT:
      return number_text(sqlite3_column_double(statement, column));
    case SQLITE_BLOB:
      return hex_text(static_cast<const unsigned char*>(sqlite3_column_blob(statement, column)),
                      static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    default:
      return "text " + std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, column)),
                                   static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  }
}

std::string postgresql_value(const PGresult* rows, int row, int column, TargetType type) {
  if (PQgetisnull(rows, row, column) != 0) return "null";
  const std::string text = PQgetvalue(rows, row, column);
  switch (type) {
    case TargetType::boolean:
      return text == "t" ? "number 1" : "number 0";
    case TargetType::bigint:
      return number_text(text);
    case TargetType::double_precision:
    case TargetType::numeric:
      return number_text(std::strtod(text.c_str(), nullptr));
    case TargetType::bytea:
      return "blob " + text.substr(2);
    default:
      return "text " + text;
  }
}

/// The type of a column by its number in pg_type, as to_sql() names it.
std::string type_name(Oid type) {
  constexpr std::array<std::pair<Oid, TargetType>, 13> types = {{
      {16, TargetType::boolean},
      {20, TargetType::bigint},
      {701, TargetType::double_precision},
      {1700, TargetType::numeric},
      {25, TargetType::text},
      {1043, TargetType::varchar},
      {17, TargetType::bytea},
      {1082, TargetType::date},
      {1114, TargetType::timestamp},
      {1184, TargetType::timestamptz},
      {114, TargetType::json},
      {3802, TargetType::jsonb},
      {2950, TargetType::uuid},
  }};
  for (const auto& [number, name] : types) {
    if (number == type) return std::string(to_sql(name));
  }
  return "type " + std::to_string(type);
}

/// The literal that a converter would put into PostgreSQL for a value of SQLite.
std::string literal_for(sqlite3_stmt* statement, int index, const Column& column) {
  if (sqlite3_column_type(statement, index) == SQLITE_NULL) return "NULL";
  const std::string value = sqlite_value(statement, index);
  const std::string content = value.substr(value.find(' ') + 1);
  if (column.time_form == TimeForm::epoch_seconds) return "to_timestamp(" + content + ")";
  if (column.type == TargetType::timestamptz) return convert::sql::quote_literal(content);
  if (column.type == TargetType::bytea) return convert::sql::quote_literal("\\x" + content);
  if (column.type == TargetType::numeric) {
    return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, index)));
  }
  return convert::sql::quote_literal(content);
}

}  // namespace

bool is_without_postgresql() {
  if (!PostgresServer::is_waived()) return false;
  MESSAGE("skipped: PostgreSQL is not installed");
  return true;
}

std::string as_lines(const ValueRows& rows) {
  std::string lines;
  for (const auto& row : rows) {
    for (const std::string& value : row) lines += value + '|';
    lines += '\n';
  }
  return lines;
}

void PgConnectionDeleter::operator()(pg_conn* connection) const noexcept {
  PQfinish(connection);
}

void SqliteDeleter::operator()(sqlite3* database) const noexcept {
  sqlite3_close(database);
}

Engines::Engines(const std::string& name) : Engines(name, ":memory:") {}

Engines::Engines(const std::string& name, const std::string& path) {
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
  if (sqlite3_open_v2(path.c_str(), &database, flags, nullptr) != SQLITE_OK) {
    throw std::runtime_error("SQLite did not open");
  }
  sqlite_.reset(database);
  // Its default collation is a language's, so that a text that is not compared bytewise is found out.
  PostgresServer& server = PostgresServer::shared();
  server.execute(
      "CREATE DATABASE " + convert::sql::quote_name(name) +
      " TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'");
  postgresql_.reset(PQconnectdb(server.url(name).c_str()));
  if (PQstatus(postgresql_.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(postgresql_.get()));
  PQsetClientEncoding(postgresql_.get(), "UTF8");
}

void Engines::run_sqlite(const std::string& sql) const {
  char* message = nullptr;
  if (sqlite3_exec(sqlite_.get(), sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
    const std::string text = message != nullptr ? message : "unknown";
    sqlite3_free(message);
    throw std::runtime_error("SQLite: " + text + ": " + sql);
  }
}

void Engines::run_postgresql(const std::string& sql) const {
  PGresult* result = PQexec(postgresql_.get(), sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(std::string(PQerrorMessage(postgresql_.get())) + ": " + sql);
  }
}

Outcome Engines::query_sqlite(const std::string& sql) const {
  Outcome outcome;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(sqlite_.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    outcome.error = sqlite3_errmsg(sqlite_.get());
    return outcome;
  }
  int status = SQLITE_ROW;
  while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
    std::vector<std::string> row;
    row.reserve(static_cast<std::size_t>(sqlite3_column_count(statement)));
    for (int i = 0; i < sqlite3_column_count(statement); ++i) row.push_back(sqlite_value(statement, i));
    outcome.rows.push_back(std::move(row));
  }
  if (status != SQLITE_DONE) outcome.error = sqlite3_errmsg(sqlite_.get());
  sqlite3_finalize(statement);
  return outcome;
}

Outcome Engines::query_postgresql(const std::string& sql, const std::vector<TargetType>& types) const {
  Outcome outcome;
  PGresult* result = PQexec(postgresql_.get(), sql.c_str());
  if (PQresultStatus(result) != PGRES_TUPLES_OK) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    outcome.error = std::string(state != nullptr ? state : "?") + ' ' + PQresultErrorMessage(result);
  }
  for (int i = 0; i < PQnfields(result); ++i) outcome.types.push_back(type_name(PQftype(result, i)));
  for (int row = 0; row < PQntuples(result); ++row) {
    std::vector<std::string> values;
    values.reserve(types.size());
    for (int i = 0; i < PQnfields(result); ++i) {
      values.push_back(postgresql_value(result, row, i, types.at(static_cast<std::size_t>(i))));
    }
    outcome.rows.push_back(std::move(values));
  }
  PQclear(result);
  return outcome;
}

void Engines::copy_table(const Table& table) const {
  std::string columns;
  std::string names;
  for (const Column& column : table.columns) {
    const bool is_text = convert::sql::is_text(column.type);
    const TargetType type = column.type == TargetType::unknown ? TargetType::text : column.type;
    columns += (columns.empty() ? "" : ", ") + column.target + ' ' + std::string(to_sql(type)) +
               (is_text ? " COLLATE \"C\"" : "") + (column.is_not_null ? " NOT NULL" : "");
    names += (names.empty() ? "\"" : ", \"") + column.name + '"';
  }
  run_postgresql("CREATE TABLE " + table.target + '(' + columns + ')');
  sqlite3_stmt* statement = nullptr;
  const std::string query = "SELECT " + names + " FROM \"" + table.name + '"';
  if (sqlite3_prepare_v2(sqlite_.get(), query.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(sqlite_.get()));
  }
  constexpr std::size_t batch_bytes = 100'000;
  std::string rows;
  const auto flush = [&] {
    if (!rows.empty()) run_postgresql("INSERT INTO " + table.target + " VALUES " + rows);
    rows.clear();
  };
  while (sqlite3_step(statement) == SQLITE_ROW) {
    rows += rows.empty() ? "(" : ", (";
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      rows += (i == 0 ? "" : ", ") + literal_for(statement, i, table.columns[static_cast<std::size_t>(i)]);
    }
    rows += ')';
    if (rows.size() > batch_bytes) flush();
  }
  flush();
  sqlite3_finalize(statement);
}

Table Engines::planned_table(const convert::sql::CreateTable& table) const {
  Table planned{table.name.text, convert::sql::quote_name(table.name.text), {}};
  for (const auto& definition : table.columns) {
    Column column;
    column.name = definition.name.text;
    column.target = convert::sql::quote_name(column.name);
    column.affinity = convert::sql::affinity_of(definition.type);
    const auto* collation = convert::sql::find_rule<convert::sql::ColumnCollation>(definition);
    if (collation != nullptr) column.collation = Collation::nocase;
    const std::string name = '"' + column.name + '"';
    std::string query = "SELECT count(*), count(";
    query.append(name).append("), coalesce(sum(abs(").append(name).append(") > 1e308), 0)");
    for (const std::string_view kind : {"integer", "real", "text", "blob"}) {
      query.append(", coalesce(sum(typeof(").append(name).append(") = '").append(kind).append("'), 0)");
    }
    const Outcome facts = query_sqlite(query + " FROM \"" + table.name.text + '"');
    if (!facts.error.empty()) throw std::runtime_error(facts.error);
    const std::vector<std::string>& counts = facts.rows.at(0);
    column.is_not_null = counts[0] == counts[1];
    column.may_be_infinite = counts[2] != "number 0";
    constexpr std::array<TargetType, 4> types = {TargetType::bigint, TargetType::double_precision,
                                                 TargetType::text, TargetType::bytea};
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (counts[i + 3] == counts[1]) column.type = types[i];
    }
    const bool is_number = counts[5] == "number 0" && counts[6] == "number 0";
    if (is_number && column.type == TargetType::unknown) column.type = TargetType::numeric;
    if (counts[1] == "number 0") column.type = TargetType::text;
    planned.columns.push_back(column);
  }
  return planned;
}

Table make_sample(const Engines& engines) {
  engines.run_sqlite(R"(
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, n INTEGER NOT NULL, r REAL, d DECIMAL(10,2),
      s TEXT, u TEXT COLLATE NOCASE, p TEXT COLLATE RTRIM, x BLOB, f BOOLEAN, day DATE, ts TEXT, tz TEXT,
      ep INTEGER, g TEXT);
    INSERT INTO t VALUES
      (1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (2, 0, 0, 1, 0.0, 0, '', '', '', x'', 0, '2020-02-29', '2020-02-29 00:00:00', '2020-02-29T23:59:59Z', 0,
       '00000000-0000-0000-0000-000000000000'),
      (3, 1, -1, 2, -0.5, 5, 'abc', 'ABC', 'abc  ', x'00ff', 1, '1999-12-31', '1999-12-31 23:59:59',
       '1999-12-31T00:00:00Z', 951782400, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
      (4, -7, 2, 3, 2.5, 2.99, 'ABC', 'abc', 'abc', x'616263', 1, '2024-12-31', '2024-12-31 12:34:56',
       '2024-12-31T12:34:56Z', 1735648496, '0190b8e2-4c3a-7def-8abc-0123456789ab'),
      (5, 7, -2, -1, 1.5, -1.5, 'aBc', 'aBd', ' abc', x'61', 0, '0001-01-01', '0001-01-01 00:00:00',
       '0001-01-01T00:00:00Z', -1, NULL),
      (6, 2147483647, 2147483648, 10, -2.5, 0.1, 'äÖß', 'Äös', 'z', x'7f80', 1, NULL, NULL, NULL, NULL, NULL),
      (7, -2147483649, 3, 63, 1e300, 1000000.25, 'Äöß', 'äös', 'zz ', NULL, 0, '9999-12-31', '9999-12-31 23:59:59',
       '9999-12-31T23:59:59Z', 253402300799, NULL),
      (8, 9007199254740993, -9007199254740993, 64, 0.49999999999999994, 9, 'a_c', 'A_C', 'a%c', x'0a', NULL,
       '2023-01-01', '2023-01-01 01:02:03', '2023-01-01T01:02:03Z', 1672534923, NULL),
      (9, 9223372036854775807, 1, 5, 4503599627370497.5, -0.01, 'a%c\', '%', '  ', x'20', 1, NULL, NULL, NULL, NULL,
       NULL),
      (10, -9223372036854775808, -1, 4, -4503599627370495.5, 123456.78, '日本語', '日本', '1', x'', 0, NULL, NULL,
       NULL, NULL, NULL),
      (11, 123, 123, -9, 3.0, 3, '123', '0123', '123', x'313233', 1, NULL, NULL, NULL, NULL, NULL),
      (12, 12, -5, 6, -0.0, 12, 'O''Brien @x[y]', 'o''brien', 'x' || char(10), x'00', 0, NULL, NULL, NULL, NULL, NULL),
      (13, 42, 6, 8, 0.1, 0.3, ' pad ', 'x*y?', '*', x'ff', 1, NULL, NULL, NULL, NULL, NULL))");
  Table table{"t", "t", {}};
  const auto add = [&](const std::string& name, TargetType type, Affinity affinity) -> Column& {
    Column column;
    column.name = column.target = name;
    column.type = type;
    column.affinity = affinity;
    table.columns.push_back(column);
    return table.columns.back();
  };
  Column& id = add("id", TargetType::bigint, Affinity::integer);
  id.is_rowid = id.is_not_null = true;
  add("a", TargetType::bigint, Affinity::integer);
  add("b", TargetType::bigint, Affinity::integer);
  add("n", TargetType::bigint, Affinity::integer).is_not_null = true;
  add("r", TargetType::double_precision, Affinity::real);
  add("d", TargetType::numeric, Affinity::numeric);
  add("s", TargetType::text, Affinity::text);
  add("u", TargetType::text, Affinity::text).collation = Collation::nocase;
  add("p", TargetType::varchar, Affinity::text).collation = Collation::rtrim;
  add("x", TargetType::bytea, Affinity::blob);
  add("f", TargetType::boolean, Affinity::numeric);
  add("day", TargetType::date, Affinity::numeric).time_form = TimeForm::date;
  add("ts", TargetType::timestamp, Affinity::text).time_form = TimeForm::datetime;
  add("tz", TargetType::timestamptz, Affinity::text).time_form = TimeForm::datetime_tz;
  add("ep", TargetType::timestamptz, Affinity::integer).time_form = TimeForm::epoch_seconds;
  add("g", TargetType::uuid, Affinity::text);
  engines.copy_table(table);
  return table;
}

}  // namespace nerve::test
