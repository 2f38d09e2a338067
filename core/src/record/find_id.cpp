// SPDX-License-Identifier: Apache-2.0
// The record that people mean when they type something.
#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace nerve {

namespace {

/// Of an id's end; an index holds as many.
constexpr std::size_t short_id_length = 8;
/// Natural keys that the nearest one is looked for in.
constexpr std::int64_t candidates_max = 1000;

bool has_id_characters(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c == '-' || std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return lower;
}

std::optional<Uuid> whole_id(std::string_view text) {
  if (text.size() != Uuid::text_length) return std::nullopt;
  try {
    return Uuid::parse(text);
  } catch (const ValidationError&) {
    return std::nullopt;
  }
}

}  // namespace

Uuid Reader::find_id(const RecordType& record, std::string_view text) {
  const auto id_where = [&](const std::string& condition, std::vector<db::Parameter> parameters) {
    std::string sql = fmt::format("SELECT id FROM {} WHERE {}", record.table(), condition);
    bound(record, db::Visibility::all, sql, parameters);
    std::vector<Uuid> found;
    transaction_.each<Uuid>(sql + " ORDER BY id LIMIT 2", std::span<const db::Parameter>(parameters),
                            [&](const Uuid& id) { found.push_back(id); });
    if (found.size() > 1) {
      throw ConflictError(fmt::format("several {} have ids that end so", record.plural()),
                          "Write more of the id, or all of it.");
    }
    return found.empty() ? std::nullopt : std::optional(found.front());
  };
  const Field* natural = record.natural_key();
  if (natural != nullptr) {
    if (const auto id = id_where(fmt::format("{} = :text", natural->name), {{"text", text}})) return *id;
  }
  if (const auto id = whole_id(text)) {
    if (const auto found = id_where("id = :id", {{"id", *id}})) return *found;
  } else if (text.size() >= short_id_length && has_id_characters(text)) {
    const std::string end = lower_case(text);
    if (const auto found =
            id_where(fmt::format("{} = :last AND CAST(id AS text) LIKE :pattern",
                                 db::short_id_expression(dialect(), "id")),
                     {{"last", end.substr(end.size() - short_id_length)}, {"pattern", "%" + end}})) {
      return *found;
    }
  }
  std::string hint;
  if (natural != nullptr) {
    std::vector<std::string> known;
    std::vector<db::Parameter> parameters{{"limit", candidates_max}};
    std::string sql = fmt::format("SELECT {} FROM {} WHERE TRUE", natural->name, record.table());
    bound(record, db::Visibility::all, sql, parameters);
    transaction_.each<std::string>(sql + fmt::format(" ORDER BY {} LIMIT :limit", natural->name),
                                   std::span<const db::Parameter>(parameters),
                                   [&](std::string name) { known.push_back(std::move(name)); });
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    if (const auto meant = closest_match(text, candidates)) hint = fmt::format("Did you mean {}?", *meant);
  }
  if (hint.empty()) hint = see_list(record);
  if (text.size() < short_id_length && has_id_characters(text)) {
    hint += fmt::format(" Of an id, at least the last {} characters are needed.", short_id_length);
  }
  throw NotFoundError(fmt::format("there is no {} {}", record.noun(), sanitize_for_terminal(text)), hint);
}

}  // namespace nerve
