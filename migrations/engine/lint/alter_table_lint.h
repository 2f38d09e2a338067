// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalogue/create_table.h"
#include "lint/statement_lint.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// The hazards of the actions of an ALTER TABLE, which begin at `at`.
void lint_alter_table(const Tokens& tokens, std::size_t at, std::string_view table, db::Dialect dialect,
                      std::vector<Hazard>& hazards);

/// What RENAME TO names; `end` where there is none.
db::SqlToken new_table_name(const Tokens& tokens, std::size_t at);

/// The hazards of a column's type: serial, timestamp without time zone. `definition` begins with its name.
void lint_column_type(const Tokens& definition, std::vector<Hazard>& hazards);

}  // namespace nerve::migrations
