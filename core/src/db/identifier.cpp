// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/identifier.h"

#include "nerve/core/error.h"

#include <algorithm>

namespace nerve::db {

Identifier::Identifier(std::string_view name) : name_(name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_rest = [&](char c) { return is_lower(c) || (c >= '0' && c <= '9') || c == '_'; };
  if (name_.empty() || name_.size() > length_max || !is_lower(name_.front()) ||
      !std::all_of(name_.begin(), name_.end(), is_rest)) {
    throw ValidationError(
        "a name of a table or column is not of the form both engines read alike",
        "Use lower-case letters, digits and underscores, beginning with a letter, at most 63 characters.");
  }
}

std::string quote_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '\0') throw ValidationError("a name holds a NUL character", "Rename the object without it.");
    quoted += c;
    if (c == '"') quoted += '"';
  }
  return quoted += '"';
}

}  // namespace nerve::db
