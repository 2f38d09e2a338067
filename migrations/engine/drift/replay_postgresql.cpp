// SPDX-License-Identifier: Apache-2.0
#include "catalogue/create_table.h"
#include "drift/replay.h"
#include "drift/scratch_statement.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/db/identifier.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <tuple>

namespace nerve::migrations {

namespace {

// What is asked between the statements of migrations runs with their search_path, so it is written as that of
// catalogue/postgresql_queries.h.
constexpr std::string_view place_sql = R"(
SELECT pg_catalog.current_setting('search_path'), CAST(current_user AS text), CAST(pg_catalog.current_schema() AS text),
       EXISTS (SELECT 1 FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
               WHERE n.nspname = pg_catalog.current_schema()))";

constexpr std::string_view extension_member =
    "EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = c.tableoid AND e.objid = c.oid AND "
    "e.deptype = "
    "'e')";

constexpr std::string_view reached_sql = R"(
SELECT CAST(n.nspname AS text) || '.' || CAST(c.relname AS text)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', CAST(:scratch AS name)) AND NOT {}
  AND (CAST(n.nspname AS text) || '.' || CAST(c.relname AS text)) IN
      (SELECT value FROM pg_catalog.jsonb_array_elements_text(CAST(:names AS jsonb)))
ORDER BY 1 LIMIT 1)";

// A target without a schema is met in the scratch schema first, then in the user's.
constexpr std::string_view met_sql = R"(
SELECT CAST(n.nspname AS text) || '.' || CAST(c.relname AS text)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = CAST(:schema AS name) AND NOT {}
  AND CAST(c.relname AS text) IN (SELECT value FROM pg_catalog.jsonb_array_elements_text(CAST(:names AS jsonb)))
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class AS s JOIN pg_catalog.pg_namespace AS m ON m.oid = s.relnamespace
                  WHERE m.nspname = CAST(:scratch AS name) AND s.relname = c.relname)
ORDER BY 1 LIMIT 1)";

constexpr std::string_view locked_sql = R"(
SELECT CAST(n.nspname AS text) || '.' || CAST(c.relname AS text)
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
  AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', CAST(:scratch AS name)) AND NOT {}
ORDER BY 1 LIMIT 1)";

// A sequence, a file, a message or another session is not rolled back with a transaction. Functions of the
// server that are volatile may reach such things; those here do not.
constexpr std::string_view effective_sql = R"(
SELECT CAST(n.nspname AS text) || '.' || CAST(p.proname AS text)
FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE CAST(p.proname AS text) IN (SELECT value FROM pg_catalog.jsonb_array_elements_text(CAST(:names AS jsonb)))
  AND n.nspname <> 'information_schema'
  AND (n.nspname <> 'pg_catalog'
       OR (CAST(:of_server_too AS boolean) AND p.provolatile = 'v'
           AND p.proname NOT IN ('set_config', 'random', 'clock_timestamp', 'timeofday', 'gen_random_uuid',
                                 'currval', 'lastval', 'txid_current', 'pg_current_xact_id', 'version')))
ORDER BY 1 LIMIT 1)";

constexpr std::string_view deferred_sql = R"(
SELECT DISTINCT CAST(k.conname AS text)
FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
WHERE n.nspname = CAST(:scratch AS name) AND k.condeferred ORDER BY 1)";

/// Thrown to roll back what has served its purpose. No Error, so that nobody takes it for one.
struct Finished {};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class ScratchSchema {
 public:
  explicit ScratchSchema(db::Transaction& transaction) : transaction_(transaction) {
    // No other session can make the same, and nobody sees it before it is gone.
    scratch_ =
        fmt::format("nerve_scratch_{}", transaction.one<std::int64_t>("SELECT pg_catalog.pg_backend_pid()"));
    std::string path;
    std::string user;
    std::tie(path, user, schema_, sees_schema_) =
        transaction.one<std::string, std::string, std::string, bool>(place_sql);
    path_ = scratch_path(path, user);
    create();
  }

  void replay(const Replay& replay) {
    begin_migration();
    for (const MigrationStatement& statement : replay.statements) {
      throw_if_interrupted();
      try {
        run(statement.sql);
      } catch (const Error& error) {
        rethrow_with_place(error, replay, statement);
      }
    }
    // Checks that wait for the end of a transaction would hold up later changes of their tables.
    transaction_.execute_script("SET CONSTRAINTS ALL IMMEDIATE");
  }

  Catalogue read() {
    transaction_.execute_script("SET LOCAL search_path TO " + path_);
    Catalogue catalogue = read_catalogue(transaction_);
    for (Object& object : catalogue.objects) use_own_name(object);
    catalogue.schema = schema_;
    return catalogue;
  }

 private:
  /// The search_path with the scratch schema in place of the user's. Extensions often live in the user's own,
  /// so then it follows, for their types and functions.
  std::string scratch_path(std::string_view path, std::string_view user) const {
    std::string own = scratch_;
    if (sees_schema_) own += ", " + db::quote_name(schema_);
    std::string elements;
    bool is_replaced = false;
    for (const db::SqlToken& token : tokens_of(path, db::Dialect::postgresql)) {
      if (token.is_symbol(',')) continue;
      const std::string name = token.name();
      const bool is_own = name == schema_ || (name == "$user" && user == schema_);
      if (is_own && is_replaced) continue;
      is_replaced = is_replaced || is_own;
      elements.append(elements.empty() ? "" : ", ").append(is_own ? own : std::string(token.text));
    }
    if (is_replaced) return elements;
    return elements.empty() ? own : own + ", " + elements;
  }

  void create() {
    try {
      transaction_.execute_script("CREATE SCHEMA " + db::quote_name(scratch_));
    } catch (const DatabaseError& error) {
      constexpr std::string_view insufficient_privilege = "42501";
      if (error.code() != insufficient_privilege) throw;
      throw DeniedError(
          "the role may not make the scratch schema in which migrations are replayed",
          "Run it as the owner of the database, or permit it: GRANT CREATE ON DATABASE … TO …;");
    }
    transaction_.execute_script("SET LOCAL check_function_bodies = off");
  }

  void begin_migration() {
    transaction_.execute_script("SET LOCAL search_path TO " + path_);
    std::string deferred;
    transaction_.each<std::string>(deferred_sql, {{"scratch", scratch_}}, [&](const std::string& name) {
      deferred += (deferred.empty() ? "" : ", ") + db::quote_name(name);
    });
    if (!deferred.empty()) transaction_.execute_script("SET CONSTRAINTS " + deferred + " DEFERRED");
  }

  void run(const std::string& sql) {
    const ScratchStatement statement = for_scratch(sql, schema_, scratch_);
    require_without_effect(statement);
    if (statement.sql.empty()) return;
    require_own(statement);
    transaction_.execute_script(statement.sql);
    const auto locked =
        transaction_.maybe<std::string>(fmt::format(locked_sql, extension_member), {{"scratch", scratch_}});
    if (locked) refuse(*locked);
  }

  /// Before the statement runs: what a function does need not be undone by the rollback.
  void require_without_effect(const ScratchStatement& statement) {
    if (statement.called.empty()) return;
    const Json names = statement.called;
    const bool runs = statement.calls == ScratchStatement::Calls::harmless;
    const auto called =
        transaction_.maybe<std::string>(effective_sql, {{"names", names}, {"of_server_too", runs}});
    if (!called) return;
    throw UnsupportedError(
        fmt::format("the statement calls {}, which may do what no rollback undoes", *called),
        "A migration that calls functions is applied, but cannot be replayed: its drift is for people to see "
        "(`nerve-db schema export`). What defines objects is best written without them.");
  }

  /// Looked at before the statement runs, so that not even for a moment a lock of the user's tables is held.
  void require_own(const ScratchStatement& statement) {
    if (!statement.qualified_names.empty()) {
      Json names = Json::array();
      for (const auto& [schema, name] : statement.qualified_names)
        names.push_back(fmt::format("{}.{}", schema, name));
      const auto reached = transaction_.maybe<std::string>(fmt::format(reached_sql, extension_member),
                                                           {{"scratch", scratch_}, {"names", names}});
      if (reached) refuse(*reached);
    }
    if (!sees_schema_ || statement.targets.empty()) return;
    const Json names = statement.targets;
    const auto met =
        transaction_.maybe<std::string>(fmt::format(met_sql, extension_member),
                                        {{"scratch", scratch_}, {"schema", schema_}, {"names", names}});
    if (met) refuse(*met);
  }

  [[noreturn]] static void refuse(const std::string& table) {
    throw UnsupportedError(
        "the statement reaches " + table + ", which no migration makes in this schema",
        "A migration that reaches beyond what migrations make is applied, but cannot be replayed: its "
        "drift is for people to see (`nerve-db schema export`).");
  }

  /// Texts of functions, defaults and policies name the schema where the migration did.
  void use_own_name(Object& object) const {
    // SET search_path FROM CURRENT wrote the path down.
    const std::string both = fmt::format("'{}', '{}'", scratch_, schema_);
    const auto rename = [&](std::string& text) {
      text = replaced(replaced(std::move(text), both, fmt::format("'{}'", schema_)), scratch_, schema_);
    };
    rename(object.definition);
    for (std::string& property : object.properties) rename(property);
    for (Constraint& constraint : object.constraints) rename(constraint.definition);
    for (Column& column : object.columns) {
      if (column.default_value) rename(*column.default_value);
      rename(column.generated);
    }
  }

  db::Transaction& transaction_;
  std::string scratch_;
  std::string schema_;
  std::string path_;
  bool sees_schema_ = false;
};

}  // namespace

Catalogue replay_on_postgresql(db::Database& database, const std::vector<Replay>& replays) {
  db::TransactionOptions options;
  options.lock_timeout = std::chrono::milliseconds(1000);
  std::optional<Catalogue> catalogue;
  try {
    database.change_schema([&](db::SchemaSession& session) {
      session.write(
          [&](db::Transaction& transaction) {
            ScratchSchema scratch(transaction);
            for (const Replay& replay : replays) scratch.replay(replay);
            catalogue = scratch.read();
            throw Finished();
          },
          options);
    });
  } catch (const Finished&) {
    // Rolled back; the catalogue is a value.
  }
  return std::move(*catalogue);
}

}  // namespace nerve::migrations
