// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "postgresql/connection.h"
#include "postgresql/result.h"

#include <span>
#include <string>

namespace nerve::backends {

/// The rows of a query as a cursor of the server gives them: in portions, of which the client holds one.
///
/// A portion is at most 1,000 rows, and fewer where the one before says that they would take more than about
/// a mebibyte; the first one is small, since nothing is known of its rows yet. The cursor belongs to the
/// transaction and to this object, which closes it. The server runs the query as far as rows are fetched, so
/// a limit of time holds for each portion.
///
/// libpq's mode of single rows would take less, but no other statement could run before its end.
class Cursor {
 public:
  /// Declares it. `sql` has $1, $2 … for `values`, which are null pointers for NULL. Throws DatabaseError for
  /// what is no query, or changes something.
  Cursor(PostgresqlConnection& connection, const std::string& sql, std::span<const char* const> values);
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor();

  /// Goes to the first row, then to the next; false at the end.
  bool next();

  /// The portion that holds the present row, and its place in it.
  const PGresult* portion() const noexcept { return portion_.get(); }
  int row() const noexcept { return row_; }

 private:
  void fetch();

  PostgresqlConnection& connection_;
  std::string name_;
  Result portion_;
  int row_ = 0;
  int portion_rows_;  ///< how many are asked for next
  bool is_at_end_ = false;
};

}  // namespace nerve::backends
