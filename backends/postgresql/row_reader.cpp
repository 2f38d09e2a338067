// SPDX-License-Identifier: Apache-2.0
#include "postgresql/row_reader.h"

#include "postgresql/text_format.h"
#include "soci/soci_statement.h"

#include <charconv>
#include <cstring>
#include <string_view>

namespace nerve::backends {

namespace {

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void read_cell(const PGresult* result, int row, int column, db::ValueType type, db::Cell& cell,
               std::string& decoded) {
  cell.null = PQgetisnull(result, row, column) != 0;
  if (cell.null) return;
  const std::string_view text(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
  bool understood = true;
  switch (type) {
    case db::ValueType::null:
    case db::ValueType::text:
      cell.octets = text;
      break;
    case db::ValueType::integer:
      understood = parse_number(text, cell.integer);
      break;
    case db::ValueType::boolean:
      understood = text == "t" || text == "f";
      cell.integer = text == "t" ? 1 : 0;
      break;
    case db::ValueType::real:
      understood = parse_number(text, cell.real);
      break;
    case db::ValueType::bytes:
      understood = decode_bytea(text, decoded);
      cell.octets = decoded;
      break;
  }
  if (!understood) throw_wrong_type(static_cast<std::size_t>(column), type, "another type");
}

std::int64_t rows_changed(PGresult* result) {
  if (result == nullptr || std::strncmp(PQcmdStatus(result), "SELECT", 6) == 0) return 0;
  std::int64_t rows = 0;
  parse_number(std::string_view(PQcmdTuples(result)), rows);
  return rows;
}

}  // namespace nerve::backends
