// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/postgresql/translate.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;
struct sqlite3;

namespace nerve::test {

/// Whether tests may pass over PostgreSQL, which is not installed; says so where they may.
bool is_without_postgresql();

/// The rows of a query, each value written so that two are the same only where the values are: "null",
/// "number 5", "text abc", "blob 00ff". Whole numbers and reals of one value are written alike, which is how
/// a numeric or a double precision holds both.
using ValueRows = std::vector<std::vector<std::string>>;

/// One line for each row, as a failed check shows it.
std::string as_lines(const ValueRows& rows);

struct PgConnectionDeleter {
  void operator()(pg_conn* connection) const noexcept;
};
struct SqliteDeleter {
  void operator()(sqlite3* database) const noexcept;
};

/// What a query gave: rows, or the SQLSTATE of its error.
struct Outcome {
  ValueRows rows;
  std::string error;               ///< SQLSTATE and message, or empty
  std::vector<std::string> types;  ///< of the columns, by PostgreSQL's names; empty for SQLite
};

/// The same rows in SQLite and in PostgreSQL: what both make of an expression can be compared.
class Engines {
 public:
  /// An empty database of each; the one of PostgreSQL has this name on the shared server.
  explicit Engines(const std::string& name);
  /// The same beside a database file that is only read.
  Engines(const std::string& name, const std::string& path);

  /// Runs statements that must succeed.
  void run_sqlite(const std::string& sql) const;
  void run_postgresql(const std::string& sql) const;
  Outcome query_sqlite(const std::string& sql) const;
  /// `types` say how the columns are to be read.
  Outcome query_postgresql(const std::string& sql, const std::vector<convert::sql::TargetType>& types) const;

  /// Makes the table in PostgreSQL and puts SQLite's rows into it as a converter would.
  void copy_table(const convert::sql::Table& table) const;

  /// The types that hold every value of a table, as a converter finds them by looking at each.
  convert::sql::Table planned_table(const convert::sql::CreateTable& table) const;

 private:
  std::unique_ptr<sqlite3, SqliteDeleter> sqlite_;
  std::unique_ptr<pg_conn, PgConnectionDeleter> postgresql_;
};

/// A table t(id, a, b, n, r, d, s, u, p, x, f, day, ts, tz, ep, g) with rows of every kind, in both.
convert::sql::Table make_sample(const Engines& engines);

}  // namespace nerve::test
