// SPDX-License-Identifier: Apache-2.0
#include "concurrent_index.h"

#include "statement_kind.h"

#include "nerve/core/error.h"
#include "nerve/db/sql_scanner.h"

#include <fmt/format.h>

#include <optional>
#include <string>

namespace nerve::migrations {

namespace {

/// Whether the index is valid; absent where there is none.
std::optional<bool> validity_of(db::SchemaSession& session, const std::string& index) {
  return session.read([&](db::Transaction& transaction) {
    return transaction.maybe<bool>(
        "SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid OPERATOR(pg_catalog.=) "
        "pg_catalog.to_regclass(:name)",
        {{"name", index}});
  });
}

void drop_invalid(db::SchemaSession& session, const std::string& index,
                  std::chrono::milliseconds lock_timeout) {
  if (validity_of(session, index) == false) {
    session.execute_alone("DROP INDEX CONCURRENTLY " + index, lock_timeout);
  }
}

void create_index(db::SchemaSession& session, std::string_view statement, const std::string& index,
                  std::chrono::milliseconds lock_timeout, bool was_cut_off) {
  drop_invalid(session, index, lock_timeout);
  if (was_cut_off && validity_of(session, index) == true) return;
  try {
    session.execute_alone(statement, lock_timeout);
  } catch (const ConnectionError&) {
    throw;  // whoever comes next drops what is left
  } catch (const Error&) {
    drop_invalid(session, index, lock_timeout);
    throw;
  }
  if (validity_of(session, index) == true) return;
  drop_invalid(session, index, lock_timeout);
  throw DatabaseError(ErrorKind::failure, fmt::format("the index {} did not become valid", index),
                      "Run the command again; the server's log says why it failed.");
}

/// The name in DROP INDEX CONCURRENTLY name; absent for other statements and for IF EXISTS.
std::optional<std::string> dropped_index(std::string_view statement) {
  db::SqlScanner scanner(statement, db::Dialect::postgresql);
  if (!scanner.next().is("drop") || !scanner.next().is("index") || !scanner.next().is("concurrently")) {
    return std::nullopt;
  }
  const db::SqlToken name = scanner.next();
  if (name.is("if")) return std::nullopt;
  return std::string(statement.substr(name.offset));
}

}  // namespace

void run_concurrently(db::SchemaSession& session, std::string_view statement,
                      std::chrono::milliseconds lock_timeout, bool was_cut_off) {
  if (const auto index = concurrent_index(statement)) {
    return create_index(session, statement, *index, lock_timeout, was_cut_off);
  }
  if (was_cut_off) {
    const auto dropped = dropped_index(statement);
    if (dropped && !validity_of(session, *dropped)) return;
  }
  session.execute_alone(statement, lock_timeout);
}

}  // namespace nerve::migrations
