// SPDX-License-Identifier: Apache-2.0
#include "sql/create_view.h"

#include "sql/grammar.h"

namespace nerve::convert::sql {

CreateView parse_create_view(std::string_view sql) {
  TokenCursor cursor(sql);
  CreateView view;
  cursor.expect("create");
  if (!cursor.take("temp")) cursor.take("temporary");
  cursor.expect("view");
  if (cursor.take("if", "not")) cursor.expect("exists");
  view.name = read_qualified_name(cursor, "name of a view").name;
  if (cursor.peek().is_symbol("(")) view.columns = read_name_list(cursor);
  cursor.expect("as");
  view.select = read_select(cursor);
  cursor.expect_end();
  return view;
}

}  // namespace nerve::convert::sql
