// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/postgresql/target.h"
#include "sql/postgresql/translate.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nerve::convert::sql {

/// Ends the translation of one statement; it does not leave this folder.
class Refusal : public std::exception {
 public:
  Refusal(std::string reason, std::size_t offset) : untranslatable_{std::move(reason), offset} {}
  const char* what() const noexcept override { return untranslatable_.reason.c_str(); }
  const Untranslatable& untranslatable() const noexcept { return untranslatable_; }

 private:
  Untranslatable untranslatable_;
};

/// What is asked of a translation, and what it says about itself.
struct Context {
  TranslationOptions options;
  std::vector<std::string> remarks;

  /// Refuses what may differ in the last digits, or makes a remark of it.
  void require_rounding(const std::string& what, std::size_t offset);
  /// Refuses what PostgreSQL does not call immutable.
  void require_stable(const std::string& what, std::size_t offset) const;
};

/// What a literal is to SQLite: NULL, an integer, a real or a text.
using Constant = std::variant<std::monostate, std::int64_t, double, std::string>;

/// The classes that SQLite's comparison knows, and what is outside of them.
enum class ValueClass : std::uint8_t { null, number, text, blob, other };

/// A translated expression: its text in PostgreSQL and what is known of its value in SQLite.
struct Value {
  std::string sql;
  std::size_t offset = 0;  ///< of the expression in its statement
  TargetType type = TargetType::unknown;
  TimeForm time_form = TimeForm::unknown;
  Affinity affinity = Affinity::none;
  std::optional<Collation> collation;  ///< of a column or a COLLATE
  bool has_explicit_collation = false;
  bool is_bytewise = false;   ///< a text that PostgreSQL compares by COLLATE "C"
  bool is_condition = false;  ///< a boolean that is 0 or 1 to SQLite, and no column
  bool is_not_null = false;
  bool is_atomic = true;         ///< needs no parentheses inside of an operation
  bool is_never_number = false;  ///< a text that does not look like a number
  bool is_mixed = false;  ///< a number that SQLite holds as an integer in some rows and a real in others
  bool may_be_infinite = false;
  bool is_aggregate = false;                ///< holds an aggregate of its own query
  std::string_view connective;              ///< "AND" or "OR" where that is its outermost operation
  std::optional<Constant> constant;         ///< of a literal; its sql has no cast
  std::optional<std::int64_t> lower_bound;  ///< an integer that is never less

  bool is_null_literal() const noexcept {
    return constant && std::holds_alternative<std::monostate>(*constant);
  }
  const std::int64_t* integer() const noexcept {
    return constant ? std::get_if<std::int64_t>(&*constant) : nullptr;
  }
  const double* real() const noexcept { return constant ? std::get_if<double>(&*constant) : nullptr; }
  const std::string* text() const noexcept {
    return constant ? std::get_if<std::string>(&*constant) : nullptr;
  }
  bool is_integer() const noexcept { return type == TargetType::bigint || type == TargetType::boolean; }
};

ValueClass class_of(const Value& value) noexcept;

[[noreturn]] void refuse(const Value& value, std::string reason);

Value null_literal(std::size_t offset);
Value integer_literal(std::int64_t value, std::size_t offset);
Value real_literal(double value, std::size_t offset);
Value text_literal(std::string text, std::size_t offset);
/// A condition; `sql` is an operation.
Value condition(std::string sql, std::size_t offset);
/// A value of this type that is no column.
Value result(std::string sql, TargetType type, std::size_t offset, bool is_atomic = true);

/// In parentheses where an operation needs them.
std::string wrapped(const Value& value);
/// The same with a cast on a literal, so that PostgreSQL cannot take it for another type.
std::string typed(const Value& value);

/// `sql` behind a cast: "(a + b)::bigint".
std::string cast(const Value& value, std::string_view type);

/// The value as a boolean, as WHERE and CHECK take it.
Value as_condition(const Value& value);
/// The value as a column of a query or argument of a function has it: conditions are integers, literals are
/// typed.
Value as_value(Value value);
/// The value as a number. Refuses texts and blobs.
Value as_number(const Value& value);
/// The value as an integer. Refuses reals too.
Value as_integer(const Value& value);
/// The value as SQLite would write it out. Refuses reals and blobs.
Value as_text(const Value& value, const Context& context);
/// The same, compared bytewise.
std::string bytewise(const Value& value);

/// Values of several branches as values of one type.
void unify(const std::vector<Value*>& values, Context& context);

/// What SQLite's numeric affinity makes of a text: an integer or a real, or nothing where it stays a text.
std::optional<Constant> number_of(std::string_view text);

/// A real as the shortest decimal that reads back as it.
std::string shortest(double value);

/// The longest translation of one expression, in bytes: SQLite repeats no operand, but some equals do.
inline constexpr std::size_t translation_bytes_max = 1'000'000;

/// Every integer below it is a double, too.
inline constexpr std::int64_t exact_integer_max = std::int64_t{1} << 53;

}  // namespace nerve::convert::sql
