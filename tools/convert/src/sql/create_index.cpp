// SPDX-License-Identifier: Apache-2.0
#include "sql/create_index.h"

#include "sql/grammar.h"

namespace nerve::convert::sql {

CreateIndex parse_create_index(std::string_view sql) {
  TokenCursor cursor(sql);
  CreateIndex index;
  cursor.expect("create");
  index.is_unique = cursor.take("unique");
  cursor.expect("index");
  if (cursor.take("if", "not")) cursor.expect("exists");
  index.name = read_qualified_name(cursor, "name of an index").name;
  cursor.expect("on");
  index.table = read_name(cursor, "table");
  cursor.expect_symbol("(");
  index.terms = read_ordering_terms(cursor);
  cursor.expect_symbol(")");
  if (cursor.take("where")) index.where = read_expression(cursor);
  cursor.expect_end();
  return index;
}

}  // namespace nerve::convert::sql
