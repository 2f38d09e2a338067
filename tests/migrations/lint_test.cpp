// SPDX-License-Identifier: Apache-2.0
// Lint: each rule finds its statement, and leaves the safe form alone.
#include "nerve/migrations/lint.h"

#include "support/file_bytes.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace nerve;
using db::Dialect;
using migrations::lint;
using migrations::LintFinding;
using migrations::Migration;
using migrations::parse_migration;

namespace {

Migration migration(const std::string& sql, const std::string& headers = {},
                    migrations::Dialects dialects = {}) {
  return parse_migration("app", "0001_x.sql", "app/0001_x.sql",
                         "-- irreversible: it is a test\n" + headers + "-- migrate:up\n" + sql + ";\n",
                         dialects);
}

/// "rule subject, …" of what is found.
std::string found(const std::string& sql, Dialect dialect, const std::string& headers = {}) {
  std::string text;
  for (const LintFinding& finding : lint(migration(sql, headers), dialect)) {
    text += (text.empty() ? "" : ", ") + std::string(finding.rule) + " " + finding.subject;
  }
  return text;
}

struct Case {
  std::string sql;
  std::string found;
};

void check(const std::vector<Case>& cases, Dialect dialect) {
  for (const Case& one : cases) {
    CAPTURE(one.sql);
    CHECK(found(one.sql, dialect) == one.found);
  }
}

}  // namespace

TEST_CASE("what loses data or breaks programs is found on both engines") {
  for (const Dialect dialect : {Dialect::sqlite, Dialect::postgresql}) {
    check({{"DROP TABLE users", "drop-table users"},
           {"DROP TABLE IF EXISTS \"Users\"", "drop-table Users"},
           {"ALTER TABLE users DROP COLUMN email", "drop-column users.email"},
           {"ALTER TABLE users DROP email", "drop-column users.email"},
           {"DELETE FROM users", "delete-all users"},
           {"DELETE FROM users WHERE id = 1", ""},
           {"WITH old AS (SELECT id FROM x WHERE y) DELETE FROM users", "delete-all users"},
           {"WITH old AS (DELETE FROM x) SELECT 1", ""},
           {"UPDATE users SET a = (SELECT b FROM x WHERE y)", "update-all users"},
           {"UPDATE users SET a = 1 WHERE a IS NULL", ""},
           {"INSERT INTO users SELECT 1 ON CONFLICT (id) DO UPDATE SET a = 1", ""},
           {"ALTER TABLE users RENAME TO people", "rename-table users"},
           {"ALTER TABLE users RENAME COLUMN a TO b", "rename-column users.a"},
           {"ALTER TABLE users RENAME a TO b", "rename-column users.a"},
           {"CREATE TABLE logs (line text)", "no-primary-key logs"},
           {"CREATE TABLE logs (id integer PRIMARY KEY, line text)", ""},
           {"CREATE TABLE logs (a text, b text, CONSTRAINT k PRIMARY KEY (a, b))", ""},
           {"CREATE TABLE logs AS SELECT 1 AS a", "no-primary-key logs"},
           {"CREATE TEMP TABLE logs (line text)", ""},
           {"CREATE VIEW v AS SELECT 1", ""}},
          dialect);
  }
}

TEST_CASE("INSERT OR REPLACE is found on SQLite, and no rule of PostgreSQL is") {
  check({{"INSERT OR REPLACE INTO users VALUES (1)", "insert-or-replace users"},
         {"REPLACE INTO users VALUES (1)", "insert-or-replace users"},
         {"INSERT OR IGNORE INTO users VALUES (1)", ""},
         {"CREATE INDEX i ON users (a)", ""},
         {"ALTER TABLE users ADD COLUMN at timestamp DEFAULT 1", ""}},
        Dialect::sqlite);
}

TEST_CASE("what stops others on PostgreSQL is found, and its safe form is not") {
  check({{"TRUNCATE TABLE a, ONLY b", "truncate a, truncate b"},
         {"DROP TABLE a, app.b CASCADE", "drop-table a, drop-table b, drop-cascade what depends on it"},
         {"DROP SCHEMA old", "drop-table a whole schema"},
         {"ALTER TABLE a DROP CONSTRAINT k CASCADE", "drop-cascade what depends on it"},
         {"ALTER TABLE a DROP CONSTRAINT k", ""},
         {"CREATE INDEX i ON a (b)", "create-index-blocking a"},
         {"CREATE UNIQUE INDEX IF NOT EXISTS i ON ONLY app.a USING btree (b)", "create-index-blocking a"},
         {"CREATE INDEX CONCURRENTLY i ON a (b)", ""},
         {"ALTER TABLE a ADD COLUMN b int NOT NULL", "add-column-not-null a.b"},
         {"ALTER TABLE a ADD b int NOT NULL DEFAULT 0", ""},
         {"ALTER TABLE a ADD b int, ADD COLUMN IF NOT EXISTS c int NOT NULL", "add-column-not-null a.c"},
         {"ALTER TABLE a ADD b uuid DEFAULT gen_random_uuid()", "add-column-rewrite a.b"},
         {"ALTER TABLE a ADD b timestamptz NOT NULL DEFAULT now()", ""},
         {"ALTER TABLE a ADD b varchar(3) DEFAULT 'x' CHECK (length(b) > 0)", ""},
         {"ALTER TABLE a ADD b int GENERATED ALWAYS AS (c + 1) STORED", "add-column-rewrite a.b"},
         {"ALTER TABLE a ADD b BIGSERIAL NOT NULL", "add-column-rewrite a.b, serial b"},
         {"ALTER TABLE a ADD b int UNIQUE", "add-unique a.b"},
         {"ALTER TABLE a ALTER COLUMN b TYPE bigint", "alter-column-type a.b"},
         {"ALTER TABLE a ALTER b SET DATA TYPE bigint", "alter-column-type a.b"},
         {"ALTER TABLE a ALTER COLUMN b SET NOT NULL", "set-not-null a.b"},
         {"ALTER TABLE a ALTER COLUMN b DROP NOT NULL, ALTER c SET DEFAULT 1", ""},
         {"ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (id)", "add-foreign-key a"},
         {"ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (id) NOT VALID", ""},
         {"ALTER TABLE a VALIDATE CONSTRAINT f", ""},
         {"ALTER TABLE a ADD CHECK (b > 0)", "add-check a"},
         {"ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID", ""},
         {"ALTER TABLE a ADD CONSTRAINT u UNIQUE (b)", "add-unique a"},
         {"ALTER TABLE a ADD CONSTRAINT u UNIQUE USING INDEX i", ""},
         {"ALTER VIEW v RENAME TO w", "rename-table v"},
         {"VACUUM (FULL) a", "vacuum-full VACUUM FULL"},
         {"VACUUM a", ""},
         {"CLUSTER a USING i", "cluster CLUSTER"},
         {"LOCK TABLE a IN ACCESS EXCLUSIVE MODE", "lock-table a"},
         {"REINDEX TABLE a", "reindex-blocking REINDEX"},
         {"REINDEX TABLE CONCURRENTLY a", ""},
         {"CREATE TABLE a (id serial PRIMARY KEY, at timestamp, then timestamp(3) with time zone)",
          "serial id, timestamp-without-time-zone at"},
         {"CREATE TABLE a (id int PRIMARY KEY, timestamp timestamptz)", ""},
         {"ALTER TABLE a ADD at timestamp without time zone", "timestamp-without-time-zone at"},
         {"CREATE TABLE p PARTITION OF a FOR VALUES IN (1)", ""},
         {"DO $$ BEGIN DELETE FROM a; END $$", ""}},
        Dialect::postgresql);
}

TEST_CASE("a table of the same migration can be treated as it likes") {
  CHECK(found("CREATE TABLE a (id int PRIMARY KEY);\nCREATE INDEX i ON a (id);\nALTER TABLE a ADD CHECK (id "
              "> 0);\nALTER TABLE "
              "a RENAME TO b;\nCREATE INDEX j ON b (id);\nDELETE FROM b;\nDROP TABLE b",
              Dialect::postgresql) == "");
  const std::string rebuild =
      "CREATE TABLE n (id int PRIMARY KEY);\nINSERT INTO n SELECT id FROM users;\nDROP TABLE users;\nALTER "
      "TABLE n RENAME TO users";
  CHECK(found(rebuild, Dialect::sqlite) == "drop-table users");
  CHECK(found(rebuild, Dialect::sqlite, "-- rebuild: Users\n") == "");
}

TEST_CASE("a finding names its line, and says what happens and what to do") {
  const auto findings =
      lint(migration("SELECT 1;\n\nALTER TABLE a\n  ADD COLUMN b int,\n  ADD COLUMN c int NOT NULL"),
           Dialect::postgresql);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].file == "app/0001_x.sql");
  CHECK(findings[0].line == 7);
  CHECK(findings[0].message ==
        "add-column-not-null (a.c): a NOT NULL column without default fails as soon as the table has a row");
  CHECK(findings[0].remedy.ends_with("."));
  CHECK(findings[0].severity == migrations::Severity::error);
}

TEST_CASE("a permission silences its rule only, and one of an unknown rule is an error") {
  CHECK(found("DROP TABLE a;\nDELETE FROM b", Dialect::sqlite, "-- allow: drop-table empty since 0003\n") ==
        "delete-all b");
  try {
    lint(migration("SELECT 1", "-- allow: drop-tabel empty\n"), Dialect::sqlite);
    FAIL("the rule was accepted");
  } catch (const ValidationError& error) {
    CHECK(std::string(error.what()) ==
          "app/0001_x.sql: `allow` names the rule \"drop-tabel\", which does not exist");
    CHECK(error.hint() == "Did you mean \"drop-table\"?");
  }
}

TEST_CASE("the way back is not looked at") {
  const Migration both = parse_migration("app", "0001_x.sql", "x",
                                         "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE a;\n", {});
  CHECK(lint(both, Dialect::sqlite).empty());
}

TEST_CASE("each rule has another name, a hazard, a remedy and a line in its page") {
  const std::string page = test::bytes_of(std::string(NERVE_SOURCE_DIR) + "/docs/migration_lint.md");
  std::set<std::string_view> names;
  for (const auto& rule : migrations::lint_rules()) {
    CAPTURE(rule.name);
    std::string line = "| `" + std::string(rule.name) + "` | ";
    line += !rule.dialect ? "both" : *rule.dialect == Dialect::sqlite ? "SQLite" : "PostgreSQL";
    line += " | " + std::string(to_string(rule.severity)) + " |";
    CHECK(page.find(line) != std::string::npos);
    CHECK(names.insert(rule.name).second);
    CHECK_FALSE(rule.hazard.ends_with("."));
    CHECK(rule.remedy.ends_with("."));
  }
}
