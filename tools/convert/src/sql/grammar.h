// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/select.h"
#include "sql/token_cursor.h"

#include <vector>

namespace nerve::convert::sql {

/// An expression, and a SELECT with its WITH, at the cursor. They throw ValidationError with line and column.
ExpressionPtr read_expression(TokenCursor& cursor);
SelectPtr read_select(TokenCursor& cursor);
/// Whether a SELECT begins here.
bool at_select(const TokenCursor& cursor) noexcept;
/// Expressions with commas between them, at least one.
std::vector<ExpressionPtr> read_expressions(TokenCursor& cursor);
/// Terms of an ORDER BY, an index or a key, with commas between them, at least one.
std::vector<OrderingTerm> read_ordering_terms(TokenCursor& cursor);

/// Fails at `offset` where a tree has become too high; returns its height otherwise.
int checked_height(const TokenCursor& cursor, std::size_t offset, int height);

}  // namespace nerve::convert::sql
