// SPDX-License-Identifier: Apache-2.0
#include "sql/create_virtual_table.h"

#include "sql/grammar.h"

namespace nerve::convert::sql {

std::string parse_virtual_table_module(std::string_view sql) {
  TokenCursor cursor(sql);
  cursor.expect("create");
  cursor.expect("virtual");
  cursor.expect("table");
  if (cursor.take("if", "not")) cursor.expect("exists");
  read_qualified_name(cursor, "name of a table");
  cursor.expect("using");
  return folded(unquoted(cursor.next()));
}

namespace {

/// Goes on to what stands behind the module's name.
void pass_module(TokenCursor& cursor) {
  while (cursor.peek().kind != TokenKind::end && !cursor.take("using")) cursor.next();
  cursor.next();
}

/// Whether an argument of the module ends here.
bool is_end_of_argument(const TokenCursor& cursor) {
  const Token& token = cursor.peek();
  return token.kind == TokenKind::end || token.is_symbol(",") || token.is_symbol(")");
}

}  // namespace

std::string parse_module_option(std::string_view sql, std::string_view option) {
  TokenCursor cursor(sql);
  pass_module(cursor);
  while (cursor.take_symbol("(") || cursor.take_symbol(",")) {
    const bool is_wanted = cursor.peek().is(option) && cursor.peek(1).is_symbol("=");
    if (is_wanted) {
      cursor.next();
      cursor.next();
      return is_end_of_argument(cursor) ? "" : unquoted(cursor.next());
    }
    while (!is_end_of_argument(cursor)) cursor.next();
  }
  return {};
}

std::vector<std::string> parse_unindexed_columns(std::string_view sql) {
  TokenCursor cursor(sql);
  pass_module(cursor);
  std::vector<std::string> columns;
  // Behind the module: ( name UNINDEXED, name, option = value … ).
  while (cursor.take_symbol("(") || cursor.take_symbol(",")) {
    const std::string name = unquoted(cursor.next());
    while (!is_end_of_argument(cursor)) {
      if (cursor.next().is("unindexed")) columns.push_back(name);
    }
  }
  return columns;
}

}  // namespace nerve::convert::sql
