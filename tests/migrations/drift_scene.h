// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "migrations/migration_files.h"
#include "support/engine.h"

#include "nerve/migrations/drift.h"
#include "nerve/migrations/migrator.h"

#include <string>
#include <string_view>

namespace nerve::test {

/// Everything that both engines have, written as people write it.
inline constexpr std::string_view rich_schema = R"(-- migrate:up
CREATE TABLE teams (
  id {{num}} NOT NULL PRIMARY KEY,
  name {{str(50)}} NOT NULL UNIQUE,
  deleted_at {{ts}},
  is_active {{active}}
) {{strict}};
CREATE TABLE "Mixed ""Case" (
  "Key" {{num}} NOT NULL PRIMARY KEY,
  "Select" {{text}} DEFAULT 'it''s'
) {{strict}};
CREATE TABLE users (
  id {{num}} NOT NULL PRIMARY KEY,
  team_id {{num}} NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  email {{text}} NOT NULL,
  age {{num}} DEFAULT 18 CHECK (age >= 0),
  CONSTRAINT email_once UNIQUE (team_id, email)
) {{strict}};
CREATE INDEX users_email ON users (lower(email)) WHERE age > 17;
CREATE VIEW adults AS SELECT id, email FROM users WHERE age > 17;
-- dialect:sqlite
CREATE TRIGGER users_touched AFTER UPDATE ON users BEGIN UPDATE teams SET name = name WHERE id = NEW.team_id; END;
-- dialect:postgresql
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE SEQUENCE tickets START WITH 100;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER users_touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_team ON users USING (team_id = 1);
CREATE MATERIALIZED VIEW counts AS SELECT team_id, count(*) AS members FROM users GROUP BY team_id;
CREATE TABLE rounds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, held tstzrange,
  EXCLUDE USING gist (held WITH &&));
CREATE STATISTICS users_stats ON team_id, age FROM users;
CREATE TABLE logs (at timestamptz NOT NULL, line text) PARTITION BY RANGE (at);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
-- dialect:end
-- migrate:down
-- dialect:postgresql
DROP TABLE logs;
DROP TABLE rounds;
DROP MATERIALIZED VIEW counts;
-- dialect:end
DROP VIEW adults;
DROP TABLE users;
DROP TABLE "Mixed ""Case";
DROP TABLE teams;
-- dialect:postgresql
DROP FUNCTION touch();
DROP SEQUENCE tickets;
DROP DOMAIN percent;
DROP TYPE mood;
-- dialect:end
)";

/// One for all tests of a program, as people name one with --scratch: a replay leaves it empty.
inline std::unique_ptr<db::Database> open_shared_scratch() {
  static const Postgresql scratch;
  return scratch.open();
}

inline migrations::DriftReport drift(db::Database& database, const migrations::MigrationSet& set) {
  if (database.dialect() == db::Dialect::postgresql)
    return find_drift(database, set, migrations::Ledger(), &open_shared_scratch);
  return find_drift(database, set, migrations::Ledger(), [] { return open_scratch_database(); });
}

/// "different table users: column note added: text; …" for each difference, in lines.
inline std::string text_of(const migrations::DriftReport& report) {
  if (!report.is_known()) return "unknown: " + report.unknown;
  std::string text;
  for (const auto& difference : report.differences) {
    text += std::string(to_string(difference.kind)) + " " + difference.object;
    for (const std::string& change : difference.changes) {
      text += (change == difference.changes.front() ? ": " : "; ") + change;
    }
    if (difference.acceptance != migrations::Acceptance::none)
      text += " [" + std::string(to_string(difference.acceptance)) + "]";
    text += '\n';
  }
  return text;
}

inline void run(db::Database& database, const std::string& script) {
  database.write([&](db::Transaction& transaction) { transaction.execute_script(script); });
}

/// What drift says of a database that was made by the migrations and then changed by hand.
template <class Engine>
std::string after(const std::string& script) {
  const Engine engine;
  const auto database = engine.open();
  const migrations::MigrationSet set = migration_set({{"schema", std::string(rich_schema)}});
  migrations::Migrator(*database, set).up();
  run(*database, script);
  return text_of(drift(*database, set));
}

}  // namespace nerve::test
