// SPDX-License-Identifier: Apache-2.0
#include "drift/scratch_statement.h"

#include "catalogue/create_table.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>

namespace nerve::migrations {

namespace {

using db::SqlToken;

template <std::size_t Size>
bool is_one_of(const SqlToken& token, const std::array<std::string_view, Size>& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return token.is(word); });
}

bool changes_or_shows_data(const Tokens& tokens) {
  constexpr std::array<std::string_view, 9> first_words{"insert", "update", "delete",  "merge", "truncate",
                                                        "copy",   "values", "explain", "show"};
  constexpr std::array<std::string_view, 4> behind_with{"insert", "update", "delete", "merge"};
  if (is_one_of(at_or_end(tokens, 0), first_words)) return true;
  return at_or_end(tokens, 0).is("with") &&
         std::ranges::any_of(tokens, [&](const SqlToken& token) { return is_one_of(token, behind_with); });
}

bool is_definition(const Tokens& tokens) {
  const SqlToken& first = at_or_end(tokens, 0);
  return first.is("create") || first.is("alter") || first.is("drop");
}

/// Whether a statement is about something that is not the schema's, or not compared.
bool is_beside_schema(const Tokens& tokens) {
  constexpr std::array<std::string_view, 13> first_words{
      "grant",  "revoke",  "comment", "security", "reassign", "load",      "import",
      "vacuum", "reindex", "analyze", "cluster",  "refresh",  "checkpoint"};
  constexpr std::array<std::string_view, 18> kinds{
      "role",        "user",         "group",      "database", "tablespace", "extension",
      "publication", "subscription", "event",      "server",   "foreign",    "language",
      "system",      "trusted",      "procedural", "access",   "transform",  "default"};
  if (is_one_of(at_or_end(tokens, 0), first_words)) return true;
  if (is_definition(tokens) && is_one_of(at_or_end(tokens, 1), kinds)) return true;
  const std::size_t size = tokens.size();
  if (at_or_end(tokens, 0).is("alter") && size > 3 && tokens[size - 3].is("owner") &&
      tokens[size - 2].is("to"))
    return true;
  // Whose what is made will be; the parser permits SET LOCAL only.
  return at_or_end(tokens, 0).is("set") && at_or_end(tokens, 2).is("role");
}

}  // namespace

std::string for_scratch(std::string_view statement) {
  const Tokens tokens = tokens_of(statement, db::Dialect::postgresql);
  if (at_or_end(tokens, 0).is("drop") && at_or_end(tokens, 1).is("owned")) {
    throw UnsupportedError(
        "DROP OWNED reaches beyond the schema",
        "Such a migration is applied, but cannot be replayed: its drift is for people to see "
        "(`nerve-db schema export`).");
  }
  if (changes_or_shows_data(tokens) || is_beside_schema(tokens)) return {};
  if (!is_definition(tokens)) return std::string(statement);
  std::string text;
  std::size_t copied = 0;
  for (const SqlToken& token : tokens) {
    if (!token.is("concurrently")) continue;
    text.append(statement.substr(copied, token.offset - copied));
    copied = token.offset + token.text.size();
  }
  return text.append(statement.substr(copied));
}

}  // namespace nerve::migrations
