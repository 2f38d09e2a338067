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

}  // namespace nerve::convert::sql
