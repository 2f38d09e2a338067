// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nerve::convert::sql {

/// A name as PostgreSQL 15 to 17 reads it: bare where that means the same, else in double quotes. Quoted is
/// what has other characters than a-z, 0-9 and _, begins with a digit, or is a keyword that is not free
/// everywhere. Throws ValidationError for a name with a NUL and for an empty one.
std::string quote_name(std::string_view name);

/// A text as a literal, for standard_conforming_strings=on. Throws ValidationError for a text with a NUL and
/// for one that is no UTF-8.
std::string quote_literal(std::string_view text);

/// Bytes as a literal of type bytea.
std::string quote_bytes(std::string_view bytes);

/// Whether a word is a keyword that quote_name() quotes.
bool is_postgresql_keyword(std::string_view word) noexcept;

}  // namespace nerve::convert::sql
