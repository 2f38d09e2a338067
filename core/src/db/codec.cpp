// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/codec.h"

#include "nerve/db/statement.h"

#include <nlohmann/json.hpp>

namespace nerve::db::detail {

void throw_out_of_range(std::int64_t value_min, std::int64_t value_max) {
  throw DatabaseError(
      ErrorKind::invalid,
      "an integer is outside of " + std::to_string(value_min) + " to " + std::to_string(value_max),
      "Read or bind it as std::int64_t.");
}

void throw_unknown_enum_text() {
  throw DatabaseError(ErrorKind::integrity, "a column holds a text that its enum does not know",
                      "The program may be older than the database: update it.");
}

void throw_null_column(std::size_t column) {
  throw DatabaseError(ErrorKind::invalid, "column " + std::to_string(column + 1) + " of the result is NULL",
                      "Read it as std::optional.");
}

}  // namespace nerve::db::detail

namespace nerve::db {

Value Codec<Json>::encode(const Json& value) {
  try {
    return Value::owned_text(value.dump());
  } catch (const Json::exception&) {
    throw ValidationError("a JSON value holds text that is not UTF-8", "Decode or clean the text first.");
  }
}

Json Codec<Json>::decode(const Cell& cell) {
  return parse_json(cell.octets, "column");
}

Value Codec<std::vector<std::string>>::encode(const std::vector<std::string>& value) {
  return Codec<Json>::encode(Json(value));
}

std::vector<std::string> Codec<std::vector<std::string>>::decode(const Cell& cell) {
  try {
    return Codec<Json>::decode(cell).get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw DatabaseError(ErrorKind::integrity, "a column that holds a list of texts holds other JSON",
                        "The program may be older than the database: update it.");
  }
}

}  // namespace nerve::db
