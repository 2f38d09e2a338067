// SPDX-License-Identifier: Apache-2.0
#include "sql/postgresql/target.h"

#include "sql/tokens.h"

#include <array>

namespace nerve::convert::sql {

std::string_view to_sql(TargetType type) noexcept {
  constexpr std::array<std::string_view, 14> names = {
      "boolean", "bigint",    "double precision", "numeric", "text",  "varchar", "bytea",
      "date",    "timestamp", "timestamptz",      "json",    "jsonb", "uuid",    "unknown"};
  return names[static_cast<std::size_t>(type)];
}

Affinity affinity_of(std::string_view declared_type) {
  const std::string type = folded(declared_type);
  const auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
  if (has("int")) return Affinity::integer;
  if (has("char") || has("clob") || has("text")) return Affinity::text;
  if (type.empty() || has("blob")) return Affinity::blob;
  if (has("real") || has("floa") || has("doub")) return Affinity::real;
  return Affinity::numeric;
}

}  // namespace nerve::convert::sql
