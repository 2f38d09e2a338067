// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/expression.h"
#include "sql/postgresql/target.h"
#include "sql/postgresql/writer.h"

#include <string>

namespace nerve::convert::sql {

/// A value as it is stored in a column: after SQLite's affinity, in the column's type. Refuses what the
/// column cannot hold as it is.
std::string assigned(const Value& value, const Column& column, Context& context);

/// The expression of a DEFAULT as a value of the column.
std::string default_sql(const Expression& expression, const Column& column, Context& context, Writer& writer);

}  // namespace nerve::convert::sql
