// SPDX-License-Identifier: Apache-2.0
#include "catalogue/create_table.h"

#include "nerve/db/identifier.h"

namespace nerve::migrations {

using db::SqlToken;
using db::SqlTokenKind;

namespace {

/// Skips the words before TABLE that say how long it lives.
bool skip_life(const Tokens& tokens, std::size_t& at) {
  bool is_temporary = false;
  for (;; ++at) {
    const SqlToken& token = at_or_end(tokens, at);
    if (token.is("temp") || token.is("temporary")) {
      is_temporary = true;
    } else if (!token.is("unlogged") && !token.is("global") && !token.is("local")) {
      return is_temporary;
    }
  }
}

}  // namespace

const SqlToken& at_or_end(const Tokens& tokens, std::size_t at) {
  static const SqlToken end;
  return at < tokens.size() ? tokens[at] : end;
}

Tokens tokens_of(std::string_view sql, db::Dialect dialect) {
  Tokens tokens;
  db::SqlScanner scanner(sql, dialect);
  for (SqlToken token = scanner.next(); token.kind != SqlTokenKind::end; token = scanner.next()) {
    tokens.push_back(token);
  }
  return tokens;
}

std::size_t after_parenthesis(const Tokens& tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t at = open; at < tokens.size(); ++at) {
    if (tokens[at].is_symbol('(')) ++depth;
    if (tokens[at].is_symbol(')') && --depth == 0) return at + 1;
  }
  return tokens.size();
}

std::vector<Tokens> split_list(const Tokens& tokens, std::size_t open) {
  std::vector<Tokens> elements(1);
  int depth = 0;
  const std::size_t end = after_parenthesis(tokens, open) - 1;
  for (std::size_t at = open + 1; at < end; ++at) {
    if (tokens[at].is_symbol('(')) ++depth;
    if (tokens[at].is_symbol(')')) --depth;
    if (depth == 0 && tokens[at].is_symbol(',')) {
      elements.emplace_back();
    } else {
      elements.back().push_back(tokens[at]);
    }
  }
  return elements;
}

SqlToken read_name(const Tokens& tokens, std::size_t& at) {
  SqlToken name = at_or_end(tokens, at++);
  while (at_or_end(tokens, at).is_symbol('.')) {
    name = at_or_end(tokens, at + 1);
    at += 2;
  }
  return name;
}

std::optional<CreateTable> read_create_table(std::string_view sql, db::Dialect dialect) {
  const Tokens tokens = tokens_of(sql, dialect);
  std::size_t at = 1;
  if (!at_or_end(tokens, 0).is("create")) return std::nullopt;
  CreateTable table;
  table.is_temporary = skip_life(tokens, at);
  if (!at_or_end(tokens, at++).is("table")) return std::nullopt;
  if (at_or_end(tokens, at).is("if")) at += 3;  // IF NOT EXISTS
  table.name = read_name(tokens, at);
  if (at_or_end(tokens, at).is_symbol('(')) {
    table.has_body = true;
    table.definitions = split_list(tokens, at);
    at = after_parenthesis(tokens, at);
  }
  if (at < tokens.size()) table.rest.assign(tokens.begin() + static_cast<std::ptrdiff_t>(at), tokens.end());
  return table;
}

std::string stored_name(const SqlToken& token) {
  if (token.kind == SqlTokenKind::quoted_name) return token.name();
  if (token.kind != SqlTokenKind::string) return std::string(token.text);
  std::string name;
  for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
    name += token.text[i];
    if (token.text[i] == '\'' && token.text[i + 1] == '\'') ++i;
  }
  return name;
}

std::string written_name(std::string_view name, db::Dialect dialect) {
  std::string quoted = db::quote_name(name);
  return db::normalised_sql(quoted, dialect) == name ? std::string(name) : quoted;
}

}  // namespace nerve::migrations
