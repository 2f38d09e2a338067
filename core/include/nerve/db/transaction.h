// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/bulk_insert.h"
#include "nerve/db/codec.h"
#include "nerve/db/connection.h"
#include "nerve/db/statement.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nerve::db {

/// The work of one read or write of a Database. It exists inside the closure only and is used by one thread.
///
/// A statement that fails outside a savepoint ends the transaction: whatever follows throws TransactionError,
/// even when the program swallowed the first error, so that no half of the work is ever committed. A
/// statement that may fail runs inside savepoint().
///
/// Statements are written once for both engines: named parameters (`:name`), explicit columns, no `::` casts.
/// They are cached by their text, so a text should not be made anew with values in it; transaction control,
/// ATTACH and PRAGMA are refused.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Runs a statement and returns how many rows it changed.
  std::int64_t execute(std::string_view sql, Parameters parameters = {}) {
    return prepare(sql).execute(parameters);
  }

  /// Calls `on_row` with the columns of each row; see Statement::each.
  template <class... Columns, class OnRow>
  std::int64_t each(std::string_view sql, Parameters parameters, OnRow&& on_row) {
    return prepare(sql).each<Columns...>(parameters, std::forward<OnRow>(on_row));
  }
  /// The same for results of any size, of which a part is in memory at a time; see Statement::stream.
  template <class... Columns, class OnRow>
  std::int64_t stream(std::string_view sql, Parameters parameters, OnRow&& on_row) {
    return prepare(sql).stream<Columns...>(parameters, std::forward<OnRow>(on_row));
  }
  /// Both for columns that are known at run time only; see Statement::each_cells.
  template <class OnCells>
  std::int64_t each_cells(std::string_view sql, Parameters parameters, std::span<const ValueType> types,
                          OnCells&& on_cells) {
    return prepare(sql).each_cells(parameters, types, std::forward<OnCells>(on_cells));
  }
  template <class OnCells>
  std::int64_t stream_cells(std::string_view sql, Parameters parameters, std::span<const ValueType> types,
                            OnCells&& on_cells) {
    return prepare(sql).stream_cells(parameters, types, std::forward<OnCells>(on_cells));
  }
  template <class... Columns>
  std::optional<Row<Columns...>> maybe(std::string_view sql, Parameters parameters = {}) {
    return prepare(sql).maybe<Columns...>(parameters);
  }
  template <class... Columns>
  Row<Columns...> one(std::string_view sql, Parameters parameters = {}) {
    return prepare(sql).one<Columns...>(parameters);
  }

  /// The statement for a loop, which saves the look-up in the cache.
  Statement prepare(std::string_view sql);

  /// Runs `work()` so that its failure undoes only what it did: the exception passes on and the transaction
  /// can go on. May be nested.
  template <class Work>
  auto savepoint(Work&& work) {
    Savepoint point(*session_);
    if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
      work();
      point.release();
    } else {
      auto result = work();
      point.release();
      return result;
    }
  }

  /// Runs several statements natively, without parameters and results. Throws what the first failing one
  /// throws.
  void execute_script(std::string_view sql);

  BulkInsert bulk_insert(const Identifier& table, std::initializer_list<Identifier> columns) {
    return bulk_insert(table, std::span<const Identifier>(columns.begin(), columns.size()));
  }
  BulkInsert bulk_insert(const Identifier& table, std::span<const Identifier> columns);

  Dialect dialect() const noexcept;
  Access access() const noexcept;

 private:
  friend class Database;

  /// Undoes to its beginning unless it was released.
  class Savepoint {
   public:
    explicit Savepoint(Session& session);
    Savepoint(const Savepoint&) = delete;
    Savepoint& operator=(const Savepoint&) = delete;
    ~Savepoint();
    void release();

   private:
    Session& session_;
    int depth_;
    bool released_ = false;
  };

  explicit Transaction(Session& session) noexcept : session_(&session) {}

  Session* session_;
};

}  // namespace nerve::db
