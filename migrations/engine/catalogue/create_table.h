// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/sql_scanner.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

using Tokens = std::vector<db::SqlToken>;

/// A CREATE TABLE taken apart; the tokens are views into its text.
struct CreateTable {
  db::SqlToken name;  ///< the last part of a qualified one
  bool is_temporary = false;
  bool has_body = false;            ///< a list of columns in parentheses
  std::vector<Tokens> definitions;  ///< columns and table constraints, as the commas divide them
  Tokens rest;                      ///< what follows the list, or the name where there is none
};

/// Nothing for any other statement.
std::optional<CreateTable> read_create_table(std::string_view sql, db::Dialect dialect);

/// The token at this place; an empty one behind the last.
const db::SqlToken& at_or_end(const Tokens& tokens, std::size_t at);

/// The tokens of a statement.
Tokens tokens_of(std::string_view sql, db::Dialect dialect);

/// The position behind the parenthesis that closes the one at `open`; the end where none does.
std::size_t after_parenthesis(const Tokens& tokens, std::size_t open);

/// What stands between the parentheses, the first of which is at `open`, divided at the commas.
std::vector<Tokens> split_list(const Tokens& tokens, std::size_t open);

/// Reads `[schema.]name` at `at`, which then stands behind it.
db::SqlToken read_name(const Tokens& tokens, std::size_t& at);

/// A name as it is stored: quotes taken off, letters left alone. SQLite takes a text in single quotes for a
/// name as well.
std::string stored_name(const db::SqlToken& token);

/// The name bare where that reads alike, else quoted.
std::string written_name(std::string_view name, db::Dialect dialect);

}  // namespace nerve::migrations
