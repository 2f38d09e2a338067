// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/codec.h"
#include "nerve/db/connection.h"

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace nerve::db {

class Session;
struct CachedStatement;

namespace detail {

[[noreturn]] void throw_null_column(std::size_t column);

template <class T>
T decode_column(const Cell& cell, std::size_t column) {
  if constexpr (!is_optional<T>) {
    if (cell.null) throw_null_column(column);
  }
  return Codec<T>::decode(cell);
}

/// One column is delivered as itself, several as a tuple.
template <class... Columns>
struct RowOf {
  using type = std::tuple<Columns...>;
};
template <class Column>
struct RowOf<Column> {
  using type = Column;
};

}  // namespace detail

template <class... Columns>
using Row = typename detail::RowOf<Columns...>::type;

/// A prepared statement of a transaction, for loops. It must not outlive the transaction that made it.
///
/// The columns of a result are read as the types named by the caller, whatever the table declares; NULL is an
/// error unless the type is an optional. Every parameter must be given exactly once.
class Statement {
 public:
  Statement(Statement&& other) noexcept
      : session_(other.session_), cached_(std::exchange(other.cached_, nullptr)) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Runs a statement whose rows, if any, are of no interest; returns how many rows it changed.
  std::int64_t execute(Parameters parameters = {});

  /// Calls `on_row` with the columns of each row and returns the number of rows. A callback that returns bool
  /// ends the reading with false. On SQLite rows come from the engine one by one while the callback runs: it
  /// must not change the table that is being read. On PostgreSQL all rows are in memory before the first
  /// call; see stream().
  template <class... Columns, class OnRow>
  std::int64_t each(Parameters parameters, OnRow&& on_row) {
    return read_typed<Columns...>(Delivery::whole, parameters, on_row);
  }

  /// each() for results of any size: on PostgreSQL a cursor of the transaction gives the rows in portions of
  /// at most 1,000 and about a mebibyte. It costs a few round trips more, and the server runs the query on
  /// one processor. The callback may run other statements and savepoints, and streams within the stream; what
  /// they change is not seen by it on PostgreSQL, and on SQLite must not be the table that is being read. A
  /// limit of time holds for each portion. Throws DatabaseError (invalid) for a statement that is no query or
  /// changes rows.
  template <class... Columns, class OnRow>
  std::int64_t stream(Parameters parameters, OnRow&& on_row) {
    return read_typed<Columns...>(Delivery::portions, parameters, on_row);
  }

  /// each() for columns that are known at run time only: calls `on_cells` with a std::span<const Cell>, one
  /// cell for each of `types`, which must be as many as the columns. A cell that is not NULL holds its value
  /// where its type has it: `integer` (also 0 and 1 of a boolean), `real`, or `octets`, a view that ends with
  /// the call. Codec<T>::decode reads a cell as a T, and kept_value() as a Value.
  template <class OnCells>
  std::int64_t each_cells(Parameters parameters, std::span<const ValueType> types, OnCells&& on_cells) {
    return read_cells(Delivery::whole, parameters, types, on_cells);
  }

  /// stream() for columns that are known at run time only.
  template <class OnCells>
  std::int64_t stream_cells(Parameters parameters, std::span<const ValueType> types, OnCells&& on_cells) {
    return read_cells(Delivery::portions, parameters, types, on_cells);
  }

  /// The only row, or nothing. Throws DatabaseError when there are several.
  template <class... Columns>
  std::optional<Row<Columns...>> maybe(Parameters parameters = {}) {
    static_assert((!std::same_as<Columns, std::string_view> && ...),
                  "the view would outlive the row: read a string");
    static constexpr std::array<ValueType, sizeof...(Columns)> types{Codec<Columns>::type...};
    std::array<Cell, sizeof...(Columns)> cells;
    std::optional<Row<Columns...>> row;
    Execution execution(*this);
    if (execution.start(parameters, types)) {
      execution.read(cells);
      row.emplace(decode_row<Columns...>(cells, std::index_sequence_for<Columns...>{}));
      execution.require_end();
    }
    execution.succeed(row ? 1 : 0);
    return row;
  }

  /// The only row. Throws NotFoundError when there is none, DatabaseError when there are several.
  template <class... Columns>
  Row<Columns...> one(Parameters parameters = {}) {
    auto row = maybe<Columns...>(parameters);
    if (!row) throw_no_row();
    return std::move(*row);
  }

  /// The only row with its columns read as types named at run time, or nothing; the values own their octets.
  std::optional<std::vector<Value>> maybe_values(Parameters parameters, std::span<const ValueType> types);

 private:
  friend class Transaction;

  Statement(Session& session, CachedStatement& cached) noexcept : session_(&session), cached_(&cached) {}

  /// How the rows of a result come into memory.
  enum class Delivery : std::uint8_t { whole, portions };

  /// One run of the statement: timed, counted, and reset at the end whatever happens.
  class Execution {
   public:
    explicit Execution(Statement& statement) noexcept;
    Execution(const Execution&) = delete;
    Execution& operator=(const Execution&) = delete;
    ~Execution();

    bool start(Parameters parameters, std::span<const ValueType> columns,
               Delivery delivery = Delivery::whole);
    bool next();
    void read(std::span<Cell> cells);
    void require_end();
    std::int64_t affected_rows();
    void succeed(std::uint64_t rows) noexcept;

   private:
    Statement& statement_;
    std::int64_t started_ns_;
    std::uint64_t rows_ = 0;
    bool succeeded_ = false;
  };

  /// Reads each row into `cells`, then calls `on_row()`, until that returns false.
  template <class OnRow>
  std::int64_t read_rows(Delivery delivery, Parameters parameters, std::span<const ValueType> types,
                         std::span<Cell> cells, OnRow&& on_row) {
    std::int64_t rows = 0;
    Execution execution(*this);
    for (bool more = execution.start(parameters, types, delivery); more; more = execution.next()) {
      execution.read(cells);
      ++rows;
      if (!on_row()) break;
    }
    execution.succeed(static_cast<std::uint64_t>(rows));
    return rows;
  }

  template <class... Columns, class OnRow>
  std::int64_t read_typed(Delivery delivery, Parameters parameters, OnRow& on_row) {
    static constexpr std::array<ValueType, sizeof...(Columns)> types{Codec<Columns>::type...};
    std::array<Cell, sizeof...(Columns)> cells;
    return read_rows(delivery, parameters, types, cells,
                     [&] { return call<Columns...>(on_row, cells, std::index_sequence_for<Columns...>{}); });
  }

  template <class OnCells>
  std::int64_t read_cells(Delivery delivery, Parameters parameters, std::span<const ValueType> types,
                          OnCells& on_cells) {
    std::vector<Cell> cells(types.size());
    return read_rows(delivery, parameters, types, cells, [&] { return call_cells(on_cells, cells); });
  }

  template <class OnCells>
  static bool call_cells(OnCells& on_cells, std::span<const Cell> cells) {
    if constexpr (std::same_as<std::invoke_result_t<OnCells&, std::span<const Cell>>, bool>) {
      return on_cells(cells);
    } else {
      on_cells(cells);
      return true;
    }
  }

  template <class... Columns, class OnRow, std::size_t... I>
  static bool call(OnRow& on_row, const std::array<Cell, sizeof...(Columns)>& cells,
                   std::index_sequence<I...>) {
    if constexpr (std::same_as<std::invoke_result_t<OnRow&, Columns...>, bool>) {
      return on_row(detail::decode_column<Columns>(cells[I], I)...);
    } else {
      on_row(detail::decode_column<Columns>(cells[I], I)...);
      return true;
    }
  }

  template <class... Columns, std::size_t... I>
  static Row<Columns...> decode_row(const std::array<Cell, sizeof...(Columns)>& cells,
                                    std::index_sequence<I...>) {
    if constexpr (sizeof...(Columns) == 1) {
      return (detail::decode_column<Columns>(cells[I], I), ...);
    } else {
      // Braces keep the order of evaluation, so that the first wrong column is the one that is named.
      return Row<Columns...>{detail::decode_column<Columns>(cells[I], I)...};
    }
  }

  [[noreturn]] void throw_no_row() const;

  Session* session_;
  CachedStatement* cached_;
};

}  // namespace nerve::db
