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
  constexpr std::array<std::string_view, 26> first_words{
      "grant",   "revoke", "comment", "security", "reassign", "notify", "listen",  "unlisten", "load",
      "analyze", "vacuum", "reindex", "cluster",  "refresh",  "lock",   "explain", "show",     "import",
      "insert",  "update", "delete",  "merge",    "truncate", "copy",   "values",  "table"};
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
  return false;
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

/// Whether a text that is put together when it runs begins, in the quotes behind EXECUTE or its format(),
/// with what defines something. What else it may come to is not known.
bool executes_definition(const Tokens& body, std::size_t execute) {
  constexpr std::array<std::string_view, 5> words{"create", "alter", "drop", "comment", "grant"};
  std::size_t at = execute + 1;
  if (at_or_end(body, at).is("format") && at_or_end(body, at + 1).is_symbol('(')) at += 2;
  const SqlToken& text = at_or_end(body, at);
  if (text.kind != SqlTokenKind::string) return false;
  return is_one_of(db::SqlScanner(inside_of(text), db::Dialect::postgresql).next(), words);
}

bool executes_unknown(std::string_view body_text) {
  const Tokens body = tokens_of(body_text, db::Dialect::postgresql);
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool is_of_trigger =
        at_or_end(body, i + 1).is("function") || at_or_end(body, i + 1).is("procedure");
    if (body[i].is("execute") && !is_of_trigger && !executes_definition(body, i)) return true;
  }
  return false;
}

/// Of a statement that begins with WITH.
bool changes_data(const Tokens& tokens) {
  constexpr std::array<std::string_view, 4> words{"insert", "update", "delete", "merge"};
  return std::ranges::any_of(tokens, [&](const SqlToken& token) { return is_one_of(token, words); });
}

void require_replayable(const Tokens& tokens) {
  const SqlToken& first = at_or_end(tokens, 0);
  const auto refuse = [](const std::string& what) {
    throw UnsupportedError(
        what,
        "A migration that reaches beyond its schema is applied, but cannot be replayed: its "
        "drift is for people to see (`nerve-db schema export`).");
  };
  if (first.is("drop") && at_or_end(tokens, 1).is("owned")) refuse("DROP OWNED reaches beyond the schema");
  if (first.is("call")) refuse("CALL runs a procedure, which may do anything");
  if (first.is("prepare") || first.is("execute")) refuse("a prepared statement may do anything");
  const bool is_query = first.is("select") || first.is("with");
  if (is_query && std::ranges::any_of(tokens, [](const SqlToken& token) { return token.is("into"); }) &&
      !changes_data(tokens)) {
    refuse("SELECT INTO fills a table from a query: write CREATE TABLE … AS");
  }
  if (!first.is("do")) return;
  for (const SqlToken& token : tokens) {
    if (token.kind != SqlTokenKind::string) continue;
    if (executes_unknown(inside_of(token)))
      refuse("a DO block executes a text that does not begin with a definition");
    if (token.text[0] != '$' || !asks_catalogue(inside_of(token))) continue;
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

/// Names with a parenthesis behind them, also in texts in quotes: a DO block, a statement for EXECUTE.
void note_called(std::string_view sql, std::vector<std::string>& called) {
  const Tokens tokens = tokens_of(sql, db::Dialect::postgresql);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == SqlTokenKind::string) {
      try {
        note_called(inside_of(tokens[i]), called);
      } catch (const ValidationError&) {
        continue;  // prose, in which an apostrophe is no quote
      }
    } else if (is_name(tokens[i]) && at_or_end(tokens, i + 1).is_symbol('(')) {
      called.push_back(tokens[i].name());
    }
  }
}

/// Of CREATE TABLE: whether AS stands outside of all parentheses.
bool is_made_of_query(const Tokens& tokens) {
  int depth = 0;
  for (const SqlToken& token : tokens) {
    if (token.is_symbol('(')) ++depth;
    if (token.is_symbol(')')) --depth;
    if (depth == 0 && token.is("as")) return true;
  }
  return false;
}

/// What the query of CREATE TABLE … AS and CREATE MATERIALIZED VIEW calls is not called: nothing is filled.
std::string without_data(std::string sql) {
  const Tokens tokens = tokens_of(sql, db::Dialect::postgresql);
  if (!at_or_end(tokens, 0).is("create")) return sql;
  std::size_t at = 1;
  while (at_or_end(tokens, at).is("unlogged") || at_or_end(tokens, at).is("temporary") ||
         at_or_end(tokens, at).is("temp") || at_or_end(tokens, at).is("local") ||
         at_or_end(tokens, at).is("global"))
    ++at;
  const bool is_table = at_or_end(tokens, at).is("table");
  const bool is_view = at_or_end(tokens, at).is("materialized");
  if (!is_view && !(is_table && is_made_of_query(tokens))) return sql;
  const std::size_t size = tokens.size();
  const bool is_empty_already = size > 3 && tokens[size - 3].is("with") && tokens[size - 2].is("no");
  if (is_empty_already) return sql;
  const bool has_words = size > 2 && tokens[size - 2].is("with") && tokens[size - 1].is("data");
  if (has_words) sql.resize(tokens[size - 2].offset);
  return sql + "\nWITH NO DATA";
}

/// What is looked at before it runs, or is left out.
ScratchStatement::Calls calls_of(const Tokens& tokens) {
  const SqlToken& first = at_or_end(tokens, 0);
  if (first.is("do")) return ScratchStatement::Calls::harmless;
  const bool is_query =
      first.is("select") || (first.is("with") && !changes_data(tokens)) || first.is_symbol('(');
  return is_query ? ScratchStatement::Calls::built_in : ScratchStatement::Calls::nothing;
}

}  // namespace

ScratchStatement for_scratch(std::string_view statement, std::string_view schema, std::string_view scratch) {
  const Tokens tokens = tokens_of(statement, db::Dialect::postgresql);
  ScratchStatement prepared;
  if (is_left_out(tokens)) return prepared;
  require_replayable(tokens);
  prepared.calls = calls_of(tokens);
  if (prepared.calls != ScratchStatement::Calls::nothing) note_called(statement, prepared.called);
  const bool is_data = at_or_end(tokens, 0).is("with") && changes_data(tokens);
  if (is_data || prepared.calls == ScratchStatement::Calls::built_in) return prepared;
  const SqlToken& first = at_or_end(tokens, 0);
  const bool is_definition = first.is("create") || first.is("alter") || first.is("drop");
  prepared.sql = without_data(rewritten(statement, schema, scratch, is_definition));
  try {
    note_names(prepared.sql, scratch, prepared);
  } catch (const ValidationError&) {
    // The body of a function in another language; what it names is met when it runs, and its locks are looked
    // at.
  }
  return prepared;
}

}  // namespace nerve::migrations
