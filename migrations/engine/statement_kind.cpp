// SPDX-License-Identifier: Apache-2.0
#include "statement_kind.h"

#include "nerve/db/sql_scanner.h"

namespace nerve::migrations {

namespace {

using db::SqlScanner;
using db::SqlToken;
using db::SqlTokenKind;

bool mentions(SqlScanner scanner, std::string_view keyword) {
  for (SqlToken token = scanner.next(); token.kind != SqlTokenKind::end; token = scanner.next()) {
    if (token.is(keyword)) return true;
    // The name of the object and all that follows is no option any more.
    if (token.is("on") || token.is_symbol('(')) break;
  }
  return false;
}

/// Whether the words ahead are CREATE [UNIQUE] INDEX; the scanner then stands behind them.
bool skip_create_index(SqlScanner& scanner) {
  if (!scanner.next().is("create")) return false;
  SqlToken token = scanner.next();
  if (token.is("unique")) token = scanner.next();
  return token.is("index");
}

}  // namespace

std::string_view outside_transaction_only(std::string_view statement, db::Dialect dialect) {
  SqlScanner scanner(statement, dialect);
  const SqlToken first = scanner.next();
  if (first.is("vacuum")) return "VACUUM";
  if (dialect == db::Dialect::sqlite) return {};
  if (concurrent_index(statement)) return "CREATE INDEX CONCURRENTLY";
  const SqlToken second = scanner.next();
  if (first.is("alter") && second.is("system")) return "ALTER SYSTEM";
  const bool is_database = second.is("database") || second.is("tablespace");
  if ((first.is("create") || first.is("drop")) && is_database) return "a statement about a whole database";
  if (first.is("drop") && second.is("index") && scanner.peek().is("concurrently")) {
    return "DROP INDEX CONCURRENTLY";
  }
  if (first.is("reindex")) {
    if (second.is("database") || second.is("system")) return "REINDEX of a whole database";
    if (mentions(scanner, "concurrently")) return "REINDEX CONCURRENTLY";
  }
  return {};
}

std::optional<std::string> concurrent_index(std::string_view statement) {
  SqlScanner scanner(statement, db::Dialect::postgresql);
  if (!skip_create_index(scanner) || !scanner.next().is("concurrently")) return std::nullopt;
  SqlToken token = scanner.next();
  if (token.is("if")) {
    scanner.next();
    scanner.next();
    token = scanner.next();
  }
  if (token.is("on")) return std::string();
  std::string name(token.text);
  while (scanner.peek().is_symbol('.')) {
    scanner.next();
    name += '.' + std::string(scanner.next().text);
  }
  return name;
}

}  // namespace nerve::migrations
