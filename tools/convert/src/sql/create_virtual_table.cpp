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

std::vector<std::string> parse_unindexed_columns(std::string_view sql) {
  TokenCursor cursor(sql);
  while (cursor.peek().kind != TokenKind::end && !cursor.take("using")) cursor.next();
  cursor.next();
  std::vector<std::string> columns;
  // Behind the module: ( name UNINDEXED, name, option = value … ).
  while (cursor.take_symbol("(") || cursor.take_symbol(",")) {
    const std::string name = unquoted(cursor.next());
    while (cursor.peek().kind != TokenKind::end && !cursor.peek().is_symbol(",") &&
           !cursor.peek().is_symbol(")")) {
      if (cursor.next().is("unindexed")) columns.push_back(name);
    }
  }
  return columns;
}

}  // namespace nerve::convert::sql
