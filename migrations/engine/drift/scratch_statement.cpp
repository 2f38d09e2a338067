// SPDX-License-Identifier: Apache-2.0
#include "drift/scratch_statement.h"

#include "catalogue/create_table.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>

namespace nerve::migrations {

namespace {

using db::SqlToken;
using db::SqlTokenKind;

template <std::size_t Size>
bool is_one_of(const SqlToken& token, const std::array<std::string_view, Size>& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return token.is(word); });
}

bool is_name(const SqlToken& token) {
  return token.kind == SqlTokenKind::word || token.kind == SqlTokenKind::quoted_name;
}

/// What stands between the quotes of a text.
std::string_view inside_of(const SqlToken& text) {
  const std::size_t quote_bytes = text.text[0] == '$' ? text.text.find('$', 1) + 1 : 1;
  return text.text.substr(quote_bytes, text.text.size() - 2 * quote_bytes);
}

/// Whether a statement makes nothing that a catalogue tells of, or something of the whole database or server,
/// which is there already.
bool is_left_out(const Tokens& tokens) {
  constexpr std::array<std::string_view, 18> first_words{
      "grant",   "revoke", "comment", "security", "reassign", "notify", "listen",  "unlisten", "load",
      "analyze", "vacuum", "reindex", "cluster",  "refresh",  "lock",   "explain", "show",     "import"};
  constexpr std::array<std::string_view, 17> global_kinds{
      "role",        "user",         "group",      "database",  "tablespace", "extension",
      "publication", "subscription", "event",      "server",    "foreign",    "language",
      "system",      "trusted",      "procedural", "transform", "access"};
  const SqlToken& first = at_or_end(tokens, 0);
  const SqlToken& second = at_or_end(tokens, 1);
  if (is_one_of(first, first_words) || first.is("checkpoint")) return true;
  const bool is_definition = first.is("create") || first.is("alter") || first.is("drop");
  if (is_definition && is_one_of(second, global_kinds)) return true;
  if (first.is("alter") && second.is("default")) return true;  // DEFAULT PRIVILEGES
  const std::size_t size = tokens.size();
  if (first.is("alter") && size > 3 && tokens[size - 3].is("owner") && tokens[size - 2].is("to")) return true;
  // Where names are looked for is the scratch schema's business.
  if (first.is("set") && (at_or_end(tokens, 2).is("search_path") || at_or_end(tokens, 2).is("role")))
    return true;
  const bool sets_path =
      std::ranges::any_of(tokens, [](const SqlToken& token) { return token.is("set_config"); }) &&
      std::ranges::any_of(tokens, [](const SqlToken& token) {
        return token.kind == SqlTokenKind::string && token.text == "'search_path'";
      });
  return first.is("select") && sets_path;
}

/// Whether a text asks the catalogue for names of whatever schema: it would be told of the user's.
bool asks_catalogue(std::string_view text) {
  constexpr std::array<std::string_view, 14> catalogues{
      "pg_class",   "pg_type",      "pg_constraint", "pg_attribute",      "pg_proc",
      "pg_trigger", "pg_namespace", "pg_index",      "pg_tables",         "pg_indexes",
      "pg_views",   "pg_policies",  "pg_matviews",   "information_schema"};
  bool asks = false;
  for (const SqlToken& token : tokens_of(text, db::Dialect::postgresql)) {
    if (token.is("current_schema")) return false;
    asks = asks || is_one_of(token, catalogues);
  }
  return asks;
}

void require_replayable(const Tokens& tokens) {
  const SqlToken& first = at_or_end(tokens, 0);
  const bool drops_owned = first.is("drop") && at_or_end(tokens, 1).is("owned");
  if (first.is("copy") || drops_owned) {
    throw UnsupportedError(
        std::string(drops_owned ? "DROP OWNED" : "COPY") + " reaches beyond the schema",
        "A migration that reaches beyond its schema is applied, but cannot be replayed: its drift is "
        "for people to see (`nerve-db schema export`).");
  }
  if (!first.is("do")) return;
  for (const SqlToken& token : tokens) {
    if (token.kind != SqlTokenKind::string || token.text[0] != '$' || !asks_catalogue(inside_of(token)))
      continue;
    throw UnsupportedError("a DO block asks the catalogue of the database, and not of its schema only",
                           "Let it ask for current_schema(), or write IF NOT EXISTS instead.");
  }
}

std::string rewritten(std::string_view sql, std::string_view schema, std::string_view scratch,
                      bool drops_concurrently);

/// A text in quotes may hold SQL: the body of a function, a statement for EXECUTE, a name for nextval().
std::string rewritten_text(const SqlToken& token, std::string_view schema, std::string_view scratch) {
  const std::string_view inside = inside_of(token);
  const std::size_t quote_bytes = (token.text.size() - inside.size()) / 2;
  try {
    return std::string(token.text.substr(0, quote_bytes)) + rewritten(inside, schema, scratch, false) +
           std::string(token.text.substr(token.text.size() - quote_bytes));
  } catch (const ValidationError&) {
    return std::string(token.text);  // prose, in which an apostrophe is no quote
  }
}

std::string rewritten(std::string_view sql, std::string_view schema, std::string_view scratch,
                      bool drops_concurrently) {
  const Tokens tokens = tokens_of(sql, db::Dialect::postgresql);
  std::string text;
  std::size_t copied = 0;
  const auto replace = [&](const SqlToken& token, std::string_view by) {
    text.append(sql.substr(copied, token.offset - copied)).append(by);
    copied = token.offset + token.text.size();
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const SqlToken& token = tokens[i];
    const bool is_qualified = i > 0 && tokens[i - 1].is_symbol('.');
    const bool qualifies = at_or_end(tokens, i + 1).is_symbol('.') || (i > 0 && tokens[i - 1].is("schema"));
    if (token.kind == SqlTokenKind::string) {
      replace(token, rewritten_text(token, schema, scratch));
    } else if (is_name(token) && !is_qualified && qualifies && token.name() == schema) {
      replace(token, scratch);
    } else if (drops_concurrently && token.is("concurrently")) {
      replace(token, {});
    }
  }
  return text.append(sql.substr(copied));
}

/// Words behind which a statement names what it acts upon.
bool names_target(const SqlToken& token) {
  constexpr std::array<std::string_view, 16> words{
      "table", "exists",     "view", "index",    "into", "update", "from",     "only",
      "on",    "references", "join", "truncate", "type", "domain", "sequence", "trigger"};
  return is_one_of(token, words);
}

void note_names(std::string_view sql, std::string_view scratch, ScratchStatement& statement) {
  const Tokens tokens = tokens_of(sql, db::Dialect::postgresql);
  const bool creates = at_or_end(tokens, 0).is("create");
  bool made = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == SqlTokenKind::string && tokens[i].text[0] == '$') {
      note_names(inside_of(tokens[i]), scratch, statement);
    }
    if (i == 0 || !is_name(tokens[i])) continue;
    if (tokens[i - 1].is_symbol('.') && i >= 2 && is_name(tokens[i - 2])) {
      if (tokens[i - 2].name() != scratch)
        statement.qualified_names.emplace_back(tokens[i - 2].name(), tokens[i].name());
    } else if (names_target(tokens[i - 1]) && !at_or_end(tokens, i + 1).is_symbol('.')) {
      // The first name behind CREATE is what it makes; behind IF NOT EXISTS stands the same.
      const bool is_made = creates && !made && !tokens[i].is("if");
      made = made || is_made;
      if (!is_made) statement.targets.push_back(tokens[i].name());
    }
  }
}

}  // namespace

ScratchStatement for_scratch(std::string_view statement, std::string_view schema, std::string_view scratch) {
  const Tokens tokens = tokens_of(statement, db::Dialect::postgresql);
  ScratchStatement prepared;
  if (is_left_out(tokens)) return prepared;
  require_replayable(tokens);
  const SqlToken& first = at_or_end(tokens, 0);
  const bool is_definition = first.is("create") || first.is("alter") || first.is("drop");
  prepared.sql = rewritten(statement, schema, scratch, is_definition);
  try {
    note_names(prepared.sql, scratch, prepared);
  } catch (const ValidationError&) {
    // The body of a function in another language; what it names is met when it runs, and its locks are looked
    // at.
  }
  return prepared;
}

}  // namespace nerve::migrations
