// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/create_index.h"
#include "sql/create_table.h"
#include "sql/create_view.h"
#include "sql/postgresql/target.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// SQLite's expressions as PostgreSQL's: exact, or not at all.
///
/// What is translated gives the value that SQLite gives for every row, or an error where SQLite goes on (an
/// integer that overflows becomes a real there); it never gives another value in silence. Everything else is
/// Untranslatable with a reason. Nothing here throws but what a callback of Schema throws and std::bad_alloc.
namespace nerve::convert::sql {

/// Why something has no exact equal in PostgreSQL, and where it stands: place_of(statement, offset) gives
/// line and column. The reason is lowercase, without a full stop, and quotes names, never values.
struct Untranslatable {
  std::string reason;
  std::size_t offset = 0;
};

template <typename T>
using Translated = std::variant<T, Untranslatable>;

struct TranslationOptions {
  /// Only what PostgreSQL calls IMMUTABLE: for CHECK, generated columns and indexes.
  bool is_immutable = false;
  /// Also what equals SQLite's result but for the last digits of reals: sums and averages of reals, whose
  /// result depends on the order of rows in both engines, and whole numbers beyond 2^53 that meet reals. Each
  /// use is named in the remarks.
  bool allows_rounding = false;
};

struct Translation {
  std::string sql;
  TargetType type = TargetType::unknown;
  std::vector<std::string> remarks;  ///< what may differ in the last digits; only with allows_rounding
};

/// The expression as a boolean: for CHECK and for WHERE of an index. Columns are written without their table.
Translated<Translation> translate_condition(const Expression& expression, const Table& table,
                                            const TranslationOptions& options);

/// The expression as a value of the type that it has.
Translated<Translation> translate_expression(const Expression& expression, const Table& table,
                                             const TranslationOptions& options);

/// The expression as a value of the column's type, as if SQLite stored it there: for generated columns.
Translated<Translation> translate_value(const Expression& expression, const Table& table,
                                        const Column& column, const TranslationOptions& options);

/// The default of a column as a value of its type. What the default is not equal to when it is stored in the
/// column as planned (`DEFAULT 'abc'` of a bigint) is Untranslatable.
Translated<Translation> translate_default(const Default& value, const Column& column);

struct IndexTerm {
  std::string sql;  ///< in parentheses where PostgreSQL wants them, with COLLATE, without DESC
  bool is_descending = false;
  bool is_column = false;  ///< a plain column, and not an expression
};

struct TranslatedIndex {
  std::vector<IndexTerm> terms;
  std::string where;  ///< empty where the index is not partial
};

Translated<TranslatedIndex> translate_index(const CreateIndex& index, const Table& table);

/// What views may read, and how names of views' columns are made.
struct Schema {
  /// The table or view of this name, in any spelling; null where there is none. What it returns must live as
  /// long as the call that asks.
  std::function<const Table*(std::string_view name)> find;
  /// The target of a column of a view, quoted where it must be; quote_name() where it is empty.
  std::function<std::string(std::string_view name)> column_target;
};

struct TranslatedView {
  std::string select;           ///< what follows AS; its columns are named as SQLite names them
  std::vector<Column> columns;  ///< what other views may say of it
  std::vector<std::string> remarks;
};

Translated<TranslatedView> translate_view(const CreateView& view, const Schema& schema,
                                          const TranslationOptions& options);

}  // namespace nerve::convert::sql
