// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/short_id.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace nerve::db {

namespace {

bool has_id_characters(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c == '-' || std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

bool is_end_of_id(std::string_view text) {
  return text.size() >= short_id_length_min && text.size() <= Uuid::text_length && has_id_characters(text);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return lower;
}

}  // namespace

std::optional<Uuid> find_id(Transaction& transaction, const Identifier& table, std::string_view text) {
  if (!is_end_of_id(text)) return std::nullopt;
  std::vector<Uuid> found;
  transaction.each<Uuid>(
      "SELECT id FROM " + table.quoted() + " WHERE CAST(id AS text) LIKE :pattern ORDER BY id LIMIT 2",
      {{"pattern", "%" + lower_case(text)}}, [&](const Uuid& id) { found.push_back(id); });
  if (found.size() > 1) {
    throw ConflictError("several ids in " + table.name() + " end so", "Write more of the id, or all of it.");
  }
  if (found.empty()) return std::nullopt;
  return found.front();
}

void throw_not_found(const MissingRecord& missing) {
  std::string hint = missing.hint;
  if (missing.text.size() < short_id_length_min && has_id_characters(missing.text)) {
    hint += " Of an id, at least the last " + std::to_string(short_id_length_min) + " characters are needed.";
  }
  throw NotFoundError("there is no " + std::string(missing.noun) + " " + sanitize_for_terminal(missing.text),
                      hint);
}

}  // namespace nerve::db
