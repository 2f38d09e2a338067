// SPDX-License-Identifier: Apache-2.0
#include "catalogue/create_table.h"
#include "drift/replay.h"
#include "drift/scratch_statement.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/db/identifier.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <tuple>
#include <utility>

namespace nerve::migrations {

namespace {

constexpr std::string_view place_sql = R"(
SELECT pg_catalog.current_setting('search_path'), CAST(current_user AS text))";

// In the order in which they were made, which is one in which they can be made.
constexpr std::string_view extensions_sql = R"(
SELECT CAST(e.extname AS text), CAST(n.nspname AS text)
FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql' ORDER BY e.oid)";

// Those of the extensions that whoever may create in a database can make, without further rights.
constexpr std::string_view trusted_sql = R"(
SELECT v.trusted FROM pg_catalog.pg_available_extensions AS a
JOIN pg_catalog.pg_available_extension_versions AS v ON v.name = a.name AND v.version = a.default_version
WHERE a.name = CAST(:extension AS name))";

// What an extension brought may be there, but no foreign data wrapper: with dblink or postgres_fdw a
// statement would reach other databases. Schemas hold nothing by themselves.
constexpr std::string_view content_sql = R"(
SELECT f.what FROM (
  SELECT 'relation ' || CAST(c.relname AS text) AS what, c.tableoid AS class, c.oid AS id
  FROM pg_class AS c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
  UNION ALL SELECT 'function ' || CAST(p.proname AS text), p.tableoid, p.oid FROM pg_proc AS p
  UNION ALL SELECT 'type ' || CAST(t.typname AS text), t.tableoid, t.oid FROM pg_type AS t
    WHERE t.typtype IN ('e', 'd', 'r')
  UNION ALL SELECT 'event trigger ' || CAST(g.evtname AS text), g.tableoid, g.oid FROM pg_event_trigger AS g
  UNION ALL SELECT 'large object ' || CAST(l.oid AS text), l.tableoid, l.oid FROM pg_largeobject_metadata AS l) AS f
WHERE CAST(f.id AS bigint) >= 16384
  AND NOT EXISTS (SELECT 1 FROM pg_depend AS e WHERE e.classid = f.class AND e.objid = f.id AND e.deptype = 'e')
UNION ALL SELECT 'foreign data wrapper ' || CAST(w.fdwname AS text) FROM pg_foreign_data_wrapper AS w
ORDER BY 1 LIMIT 1)";

// One call runs everything, so that nothing that runs in it can put another function in its place. It is a
// security definer not for the rights of its owner, which the caller has as well, but since inside of one
// nobody can change the role: RESET ROLE, SET ROLE and SET SESSION AUTHORIZATION fail, however they are
// spelt, and the rights of the user that is connected stay out of reach.
constexpr std::string_view runner_sql = R"(
CREATE FUNCTION pg_temp.nerve_replay(statements text[], OUT done bigint, OUT code text, OUT message text)
LANGUAGE plpgsql SECURITY DEFINER AS $nerve$
DECLARE
  statement text;
BEGIN
  done := 0;
  FOREACH statement IN ARRAY statements LOOP
    EXECUTE statement;
    done := done OPERATOR(pg_catalog.+) 1;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END
$nerve$)";

constexpr std::string_view run_sql = R"(
SELECT done, code, message FROM pg_temp.nerve_replay(ARRAY(
  SELECT s.value FROM pg_catalog.jsonb_array_elements_text(CAST(:statements AS jsonb)) WITH ORDINALITY AS s(value, place)
  ORDER BY s.place)))";

// As a transaction of its own begins.
constexpr std::string_view defer_sql = R"(
DO $nerve$ DECLARE deferred text;
BEGIN
  FOR deferred IN SELECT pg_catalog.format('%I.%I', n.nspname, k.conname)
    FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace WHERE k.condeferred
  LOOP
    EXECUTE 'SET CONSTRAINTS ' || deferred || ' DEFERRED';
  END LOOP;
END $nerve$)";

constexpr std::string_view insufficient_privilege = "42501";

/// What the replay has in common with the verified database.
struct Place {
  std::string schema;
  std::string search_path;  ///< names as the server quotes them
  std::string user;
  std::vector<std::pair<std::string, std::string>> extensions;  ///< each with its schema
};

std::vector<std::pair<std::string, std::string>> read_extensions(db::Transaction& transaction) {
  std::vector<std::pair<std::string, std::string>> extensions;
  transaction.each<std::string, std::string>(extensions_sql, {}, [&](std::string name, std::string schema) {
    extensions.emplace_back(std::move(name), std::move(schema));
  });
  return extensions;
}

Place read_place(db::Database& database, const std::string& schema) {
  return database.read([&](db::Transaction& transaction) {
    Place place;
    place.schema = schema;
    std::tie(place.search_path, place.user) = transaction.one<std::string, std::string>(place_sql);
    place.extensions = read_extensions(transaction);
    return place;
  });
}

/// Thrown to roll back what has served its purpose. No Error, so that nobody takes it for one.
struct Finished {};

/// The statements of all migrations, with the place of each.
class Script {
 public:
  explicit Script(std::string search_path) : search_path_(std::move(search_path)) {}

  /// Each migration begins with the settings that a session has.
  void add(const Replay& replay) {
    add("RESET ALL", replay, 0);
    add("SET LOCAL search_path TO " + search_path_, replay, 0);
    add("SET LOCAL check_function_bodies TO off", replay, 0);
    add(std::string(defer_sql), replay, 0);
    for (const MigrationStatement& statement : replay.statements) {
      try {
        if (std::string sql = for_scratch(statement.sql); !sql.empty())
          add(std::move(sql), replay, statement.line);
      } catch (const Error& error) {
        rethrow_with_place(error, replay, statement);
      }
    }
    // Checks that wait for the end of a transaction would hold up later changes of their tables.
    add("SET CONSTRAINTS ALL IMMEDIATE", replay, 0);
  }

  void run(db::Transaction& transaction) const {
    const auto [done, code, message] =
        transaction.one<std::int64_t, std::optional<std::string>, std::optional<std::string>>(
            run_sql, {{"statements", statements_}});
    if (!code) return;
    const std::string& place = places_[static_cast<std::size_t>(done)];
    const bool wants_rights = *code == insufficient_privilege;
    throw UnsupportedError(
        fmt::format("{}: statement refused: {} (SQLSTATE {})", place, message.value_or(""), *code),
        wants_rights
            ? "The replay has the rights of the owner of an empty database and no others: such a "
              "migration is applied, but its drift is for people to see (`nerve-db schema export`)."
            : "The replay has what the applied migrations make and no more: bring what is missing by a "
              "migration, or see the drift yourself (`nerve-db schema export`).");
  }

 private:
  void add(std::string sql, const Replay& replay, std::size_t line) {
    statements_.push_back(std::move(sql));
    places_.push_back(line == 0 ? replay.migration->file
                                : fmt::format("{}:{}", replay.migration->file, line));
  }

  std::string search_path_;
  Json statements_ = Json::array();
  std::vector<std::string> places_;
};

/// Makes the scratch database like the verified one, inside a transaction that nobody commits.
class ScratchDatabase {
 public:
  ScratchDatabase(db::Transaction& transaction, const std::string& name, const Place& place)
      : transaction_(transaction), name_(name), place_(place) {
    require_empty();
    try {
      become_owner();
    } catch (const DatabaseError& error) {
      if (error.code() != insufficient_privilege) throw;
      throw DeniedError(fmt::format("the role is not the owner of the scratch database {}", name),
                        "Make it the owner: ALTER DATABASE … OWNER TO …;");
    }
    make_extensions();
    transaction.execute_script(runner_sql);
  }

  Catalogue read() {
    transaction_.execute_script("SET LOCAL search_path TO " + place_.search_path);
    Catalogue catalogue = read_catalogue(transaction_);
    for (Object& object : catalogue.objects) {
      if (object.kind == ObjectKind::policy) name_user(object.definition);
    }
    return catalogue;
  }

 private:
  void require_empty() {
    if (const auto found = transaction_.maybe<std::string>(content_sql)) {
      throw UnsupportedError(
          fmt::format("the scratch database {} is not empty: it has the {}", name_, *found),
          "Name a database with nothing in it (CREATE DATABASE … TEMPLATE template0).");
    }
  }

  void make_schema(const std::string& schema) {
    if (schema.starts_with("pg_")) return;
    transaction_.execute_script("CREATE SCHEMA IF NOT EXISTS " + db::quote_name(schema) +
                                " AUTHORIZATION pg_database_owner");
  }

  /// From here on nothing has the rights of the user that is connected. The role pg_database_owner is on
  /// every server, is a member of no other, and has what the database gives it.
  void become_owner() {
    const auto database = transaction_.one<std::string>("SELECT CAST(current_database() AS text)");
    transaction_.execute_script("GRANT CREATE ON DATABASE " + db::quote_name(database) +
                                " TO pg_database_owner");
    make_schema(place_.schema);
    transaction_.execute_script("SET LOCAL ROLE pg_database_owner");
  }

  /// What the migrations expect and do not make. One that only a superuser may make is left to what needs it.
  void make_extensions() {
    const auto present = read_extensions(transaction_);
    for (const auto& [extension, schema] : place_.extensions) {
      const auto found = std::ranges::find(present, extension, &std::pair<std::string, std::string>::first);
      if (found != present.end()) {
        if (found->second == schema) continue;
        throw UnsupportedError(
            fmt::format("the scratch database {} has the extension {} in the schema {}", name_, extension,
                        found->second),
            "Move it to the schema in which the verified database has it: ALTER EXTENSION … SET "
            "SCHEMA …;");
      }
      if (!transaction_.maybe<bool>(trusted_sql, {{"extension", extension}}).value_or(false)) continue;
      make_schema(schema);
      transaction_.execute_script("CREATE EXTENSION IF NOT EXISTS " + db::quote_name(extension) + " SCHEMA " +
                                  db::quote_name(schema));
    }
  }

  /// TO CURRENT_USER wrote down who that was.
  void name_user(std::string& policy) const {
    constexpr std::string_view owner = " TO pg_database_owner";
    if (const std::size_t at = policy.find(owner); at != std::string::npos) {
      policy.replace(at, owner.size(), " TO " + written_name(place_.user, db::Dialect::postgresql));
    }
  }

  db::Transaction& transaction_;
  const std::string& name_;
  const Place& place_;
};

}  // namespace

Catalogue replay_on_postgresql(db::Database& database, const std::string& schema, db::Database& scratch,
                               const std::vector<Replay>& replays) {
  const Place place = read_place(database, schema);
  Script script(place.search_path);
  for (const Replay& replay : replays) script.add(replay);
  throw_if_interrupted();
  db::TransactionOptions options;
  options.statement_timeout = std::chrono::minutes(10);  // of all migrations together
  options.reads_catalogue = true;
  std::optional<Catalogue> catalogue;
  try {
    scratch.change_schema([&](db::SchemaSession& session) {
      session.write(
          [&](db::Transaction& transaction) {
            ScratchDatabase made(transaction, scratch.name(), place);
            script.run(transaction);
            catalogue = made.read();
            throw Finished();
          },
          options);
    });
  } catch (const Finished&) {
    // Rolled back, so that no check or trigger that waits for a commit runs; the catalogue is a value.
  }
  throw_if_interrupted();
  return std::move(*catalogue);
}

}  // namespace nerve::migrations
