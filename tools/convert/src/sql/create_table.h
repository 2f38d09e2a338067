// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/select.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nerve::convert::sql {

/// ON CONFLICT of a constraint.
enum class ConflictClause : std::uint8_t { none, rollback, abort, fail, ignore, replace };

enum class ReferenceAction : std::uint8_t { none, set_null, set_default, cascade, restrict, no_action };

enum class Deferral : std::uint8_t {
  unspecified,  ///< nothing is written
  not_deferrable,
  initially_immediate,  ///< DEFERRABLE alone, too
  initially_deferred,
};

/// REFERENCES of a column or of a FOREIGN KEY.
struct Reference {
  Name table;
  std::vector<Name> columns;  ///< empty: the parent's primary key
  ReferenceAction on_delete = ReferenceAction::none;
  ReferenceAction on_update = ReferenceAction::none;
  Name match;  ///< of MATCH, which SQLite reads and does not obey; empty where none is written
  Deferral deferral = Deferral::unspecified;
};

struct NotNull {
  ConflictClause conflict = ConflictClause::none;
};

struct PrimaryKey {
  std::vector<OrderingTerm> terms;  ///< empty for a column's own; then is_descending says its order
  bool is_descending = false;
  bool is_autoincrement = false;
  ConflictClause conflict = ConflictClause::none;
};

struct Unique {
  std::vector<OrderingTerm> terms;  ///< empty for a column's own
  ConflictClause conflict = ConflictClause::none;
};

struct Check {
  ExpressionPtr condition;
  std::string text;  ///< as written, without the parentheses
};

struct Default {
  /// A signed number is a Unary; a bare or double-quoted word is a ColumnName, which here means a text (or
  /// TRUE and FALSE).
  ExpressionPtr value;
  bool is_parenthesised = false;
  std::string text;  ///< as written, without the parentheses
};

struct Generated {
  ExpressionPtr value;
  bool is_stored = false;
  std::string text;  ///< as written, without the parentheses
};

struct ForeignKey {
  std::vector<Name> columns;  ///< empty for a column's own REFERENCES
  Reference reference;
};

struct ColumnCollation {
  Name collation;
};

/// A constraint of a column or of a table, with the name it was given.
struct Constraint {
  Name name;  ///< empty where none is written
  std::variant<NotNull, PrimaryKey, Unique, Check, Default, Generated, ForeignKey, ColumnCollation> rule;
};

struct ColumnDefinition {
  Name name;
  std::string type;  ///< as declared, one space between its words, "DECIMAL(10, 2)"; empty for none
  std::vector<Constraint> constraints;
  std::size_t begin = 0;  ///< offset in the statement
};

/// A CREATE TABLE as sqlite_schema keeps it.
struct CreateTable {
  Name name;
  std::vector<ColumnDefinition> columns;
  std::vector<Constraint> constraints;
  bool is_without_rowid = false;
  bool is_strict = false;
};

/// Reads a CREATE TABLE. Throws ValidationError with line and column where it is none, also for CREATE
/// VIRTUAL TABLE and CREATE TABLE … AS, of which sqlite_schema holds the former and never the latter.
CreateTable parse_create_table(std::string_view sql);

/// The only constraint of this kind of a column; of several defaults or collations the last counts, as in
/// SQLite. Null where there is none.
template <typename Rule>
const Rule* find_rule(const ColumnDefinition& column) noexcept {
  const Rule* found = nullptr;
  for (const Constraint& constraint : column.constraints) {
    if (const Rule* rule = std::get_if<Rule>(&constraint.rule)) found = rule;
  }
  return found;
}

}  // namespace nerve::convert::sql
