// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/migration.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace nerve;
using migrations::Direction;
using migrations::Migration;

namespace {

Migration parse(std::string_view content, std::string_view name = "0001_create_users.sql") {
  return migrations::parse_migration("identity", name, "migrations/identity/" + std::string(name), content);
}

/// The message and hint with which a file is refused.
std::string refusal(std::string_view content, std::string_view name = "0001_create_users.sql") {
  try {
    parse(content, name);
  } catch (const ValidationError& error) {
    CHECK_FALSE(error.hint().empty());
    return error.what();
  }
  return "accepted";
}

std::string up_of(const Migration& migration, db::Dialect dialect) {
  std::string all;
  for (const auto& statement : migration.statements(Direction::up, dialect)) all += statement.sql + ";";
  return all;
}

constexpr std::string_view whole = R"(-- description: users and their roles
-- requires: tenancy@0001, workspace@2
-- impact: none
-- allow: drop-table it never held anything

-- migrate:up
CREATE TABLE users (id {{id}} NOT NULL PRIMARY KEY, email {{str(255)}} NOT NULL) {{strict}};
-- dialect:postgresql
CREATE INDEX users_email ON users (lower(email));
-- dialect:sqlite
CREATE INDEX users_email ON users (email COLLATE NOCASE);
-- dialect:end
INSERT INTO users (id, email) VALUES ('a;b', 'x');

-- migrate:down
DROP TABLE users;
)";

}  // namespace

TEST_CASE("a file is read with its headers, its sections and its dialect blocks") {
  const Migration migration = parse(whole);
  CHECK(migration.title() == "identity/0001_create_users");
  CHECK(migration.description.summary == "users and their roles");
  CHECK(migration.description.impact == "none");
  REQUIRE(migration.requirements.size() == 2);
  CHECK(migration.requirements[0].to_string() == "tenancy@0001");
  CHECK(migration.requirements[1].to_string() == "workspace@0002");
  REQUIRE(migration.permissions.size() == 1);
  CHECK(migration.permissions[0].rule == "drop-table");
  CHECK(migration.permissions[0].reason == "it never held anything");

  const auto sqlite = migration.statements(Direction::up, db::Dialect::sqlite);
  REQUIRE(sqlite.size() == 3);
  CHECK(sqlite[0].sql ==
        "CREATE TABLE users (id TEXT CHECK (length(id) = 36) NOT NULL PRIMARY KEY, email TEXT CHECK "
        "(length(email) <= "
        "255) NOT NULL) STRICT");
  CHECK(sqlite[0].line == 7);
  CHECK(sqlite[1].sql == "CREATE INDEX users_email ON users (email COLLATE NOCASE)");
  CHECK(sqlite[1].line == 11);
  CHECK(sqlite[2].line == 13);
  const auto postgresql = migration.statements(Direction::up, db::Dialect::postgresql);
  REQUIRE(postgresql.size() == 3);
  CHECK(postgresql[0].sql ==
        "CREATE TABLE users (id uuid NOT NULL PRIMARY KEY, email varchar(255) NOT NULL)");
  CHECK(postgresql[1].sql == "CREATE INDEX users_email ON users (lower(email))");
  CHECK(migration.statements(Direction::down, db::Dialect::sqlite).size() == 1);
}

TEST_CASE("a checksum is that of the text without byte order mark and with LF line ends") {
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : whole) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  CHECK(parse(windows).checksum == parse(whole).checksum);
  // printf '%s' "$text" | sha256sum
  CHECK(parse("-- irreversible: it is a test\n-- migrate:up\nSELECT 1;\n").checksum ==
        "39fea2d6c3c6398cfad56eeb518ee4fac9185d0c60ab8d310d5709bde725c701");
  CHECK(parse(std::string(whole) + " ").checksum != parse(whole).checksum);
}

TEST_CASE("triggers, functions and quotes do not divide a statement") {
  const Migration migration = parse(R"(-- irreversible: it is a test
-- migrate:up
-- dialect:sqlite
CREATE TRIGGER t AFTER UPDATE ON a BEGIN
  UPDATE a SET x = CASE WHEN y THEN 1 ELSE 2 END;
  DELETE FROM b;
END;
INSERT INTO a VALUES ('it''s; -- no comment', "b;c", [d;e], `f;g`); -- ; a comment
-- dialect:postgresql
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN x := 1; RETURN NEW; END $body$;
CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;
SELECT E'it\'s; here', $$a;b$$ /* ; /* ; */ ; */;
)");
  CHECK(migration.statements(Direction::up, db::Dialect::sqlite).size() == 2);
  CHECK(migration.statements(Direction::up, db::Dialect::postgresql).size() == 3);
}

TEST_CASE("logical types become what each engine has") {
  const Migration migration = parse(R"(-- irreversible: it is a test
-- migrate:up
CREATE TABLE a (state {{enum(open, closed)}} NOT NULL, "Quoted" {{bool}}, at {{ts}} DEFAULT {{now}}, meta {{json}});
)");
  CHECK(up_of(migration, db::Dialect::sqlite) ==
        "CREATE TABLE a (state TEXT CHECK (state IN ('open', 'closed')) NOT NULL, \"Quoted\" INTEGER CHECK "
        "(\"Quoted\" IN "
        "(0, 1)), at TEXT CHECK (length(at) = 27) DEFAULT (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'), "
        "meta TEXT "
        "CHECK (json_valid(meta)));");
  CHECK(up_of(migration, db::Dialect::postgresql) ==
        "CREATE TABLE a (state text CHECK (state IN ('open', 'closed')) NOT NULL, \"Quoted\" boolean, at "
        "timestamptz "
        "DEFAULT now(), meta jsonb);");
}

TEST_CASE("a logical type checks the column whose name stands before it, however that is written") {
  const auto on_sqlite = [](std::string_view column) {
    const std::string sql =
        up_of(parse("-- irreversible: x\n-- migrate:up\nCREATE TABLE p (nom {{str(50)}}, " +
                    std::string(column) + ");\n"),
              db::Dialect::sqlite);
    const std::string before = "CREATE TABLE p (nom TEXT CHECK (length(nom) <= 50), ";
    REQUIRE(sql.starts_with(before));
    return sql.substr(before.size(), sql.size() - before.size() - 2);
  };
  CHECK(on_sqlite("prénom {{str(3)}}") == "prénom TEXT CHECK (length(prénom) <= 3)");
  CHECK(on_sqlite("a$b {{str(3)}}") == "a$b TEXT CHECK (length(a$b) <= 3)");
  CHECK(on_sqlite("code /* of the country */ {{str(3)}}") ==
        "code /* of the country */ TEXT CHECK (length(code) <= 3)");
  CHECK(on_sqlite("code -- of the country\n {{str(3)}}") ==
        "code -- of the country\n TEXT CHECK (length(code) <= 3)");
  CHECK(on_sqlite(R"("first name" {{str(50)}})") ==
        R"("first name" TEXT CHECK (length("first name") <= 50))");
  CHECK(on_sqlite(R"("say ""x""" {{bool}})") == R"("say ""x""" INTEGER CHECK ("say ""x""" IN (0, 1)))");
  CHECK(on_sqlite("[first name] {{str(5)}}") == "[first name] TEXT CHECK (length([first name]) <= 5)");
  CHECK(on_sqlite("`first name` {{str(5)}}") == "`first name` TEXT CHECK (length(`first name`) <= 5)");
}

TEST_CASE("what looks like a logical type in a string, a quoted name or a comment stays what it is") {
  const Migration migration = parse(R"(-- irreversible: it is a test
-- migrate:up
INSERT INTO a VALUES ('{{false}}', 'it''s {{guest}}', "{{now}}", {{true}}); -- {{unknown}}
/* {{bool */ INSERT INTO a VALUES ('{{', '}}');
-- dialect:sqlite
INSERT INTO a VALUES ([{{id}}], `{{ts}}`);
-- dialect:postgresql
INSERT INTO a VALUES ($x$at {{now}}$x$, E'\'{{false}}', '{{1,2},{3,4}}'::int[]);
)");
  CHECK(up_of(migration, db::Dialect::sqlite) ==
        "INSERT INTO a VALUES ('{{false}}', 'it''s {{guest}}', \"{{now}}\", 1);"
        "INSERT INTO a VALUES ('{{', '}}');INSERT INTO a VALUES ([{{id}}], `{{ts}}`);");
  CHECK(up_of(migration, db::Dialect::postgresql) ==
        "INSERT INTO a VALUES ('{{false}}', 'it''s {{guest}}', \"{{now}}\", true);"
        "INSERT INTO a VALUES ('{{', '}}');"
        "INSERT INTO a VALUES ($x$at {{now}}$x$, E'\\'{{false}}', '{{1,2},{3,4}}'::int[]);");
}

TEST_CASE("what looks like a section or a dialect block in a string or a comment is data") {
  const Migration migration = parse(R"(-- description: it is a test
-- migrate:up
INSERT INTO pages VALUES ('How to write a migration:
-- migrate:up
-- dialect:postgresql
-- dialect:end
');
/*
-- migrate:down
*/
-- dialect:postgresql
INSERT INTO pages VALUES ($$
-- dialect:sqlite
it's $$);
-- dialect:end
-- migrate:down
DELETE FROM pages WHERE text = '
-- migrate:down
';
)");
  const std::string both =
      "INSERT INTO pages VALUES ('How to write a migration:\n-- migrate:up\n-- dialect:postgresql\n"
      "-- dialect:end\n');";
  CHECK(up_of(migration, db::Dialect::sqlite) == both);
  CHECK(up_of(migration, db::Dialect::postgresql) ==
        both + "INSERT INTO pages VALUES ($$\n-- dialect:sqlite\nit's $$);");
  REQUIRE(migration.statements(Direction::down, db::Dialect::sqlite).size() == 1);
  CHECK(migration.statements(Direction::down, db::Dialect::sqlite).front().sql ==
        "DELETE FROM pages WHERE text = '\n-- migrate:down\n'");
}

TEST_CASE("a file that is not as it should be is refused with its place") {
  const auto up = [](std::string_view sql) {
    return "-- irreversible: it is a test\n-- migrate:up\n" + std::string(sql);
  };
  const std::string file = "migrations/identity/0001_create_users.sql:";
  CHECK(refusal("SELECT 1;") == file + "1: SQL before the first section");
  CHECK(refusal("-- a comment\n") == file + "1: no section `-- migrate:up`");
  CHECK(refusal("-- migrate:up\nSELECT 1;\n") == file + "1: no section `-- migrate:down`");
  CHECK(refusal("-- migrate:down\nSELECT 1;\n") == file + "1: the section \"down\" at this place");
  CHECK(refusal("-- irreversible: x\n-- migrate:up\n-- migrate:down\n") ==
        file + "1: `irreversible` and a section `-- migrate:down`");
  CHECK(refusal("-- irreversable: x\n" + up("")) == file + "1: unknown header \"irreversable\"");
  CHECK(refusal("-- requires: tenancy@x\n" + up("")) == file + "1: \"tenancy@x\" names no migration");
  CHECK(refusal("-- irreversible:\n" + up("")) == file + "1: the header \"irreversible\" says nothing");
  CHECK(refusal(up("SELECT 1;\n-- dialect:mysql\n")) == file + "4: unknown dialect \"mysql\"");
  CHECK(refusal(up("SELECT 1;\n\n  commit ;\n")) == file + "5: COMMIT in a migration");
  CHECK(refusal(up("PRAGMA foreign_keys=OFF;")) == file + "3: PRAGMA in a migration");
  CHECK(refusal(up("ATTACH 'x' AS y;")) == file + "3: ATTACH in a migration");
  CHECK(refusal(up("VACUUM;")) == file + "3: VACUUM cannot run inside a transaction");
  CHECK(refusal(up("CREATE INDEX CONCURRENTLY i ON a (b);")) ==
        file + "3: CREATE INDEX CONCURRENTLY cannot run inside a transaction");
  CHECK(refusal("-- no-transaction\n" + up("CREATE INDEX CONCURRENTLY ON a (b);")) ==
        file + "4: CREATE INDEX CONCURRENTLY without a name");
  CHECK(refusal(up("CREATE TABLE a (b {{strg(2)}});")) == file + "3:19: unknown logical type {{strg}}");
  CHECK(refusal(up("CREATE TABLE a (b {{str}});")) ==
        file + "3:19: {{str}} is written with an argument in parentheses");
  for (const char* before : {"", "'b' ", "b, ", "(b) ", "5 ", "b {{json}} "}) {
    INFO(before);
    const std::string refused = refusal(up("CREATE TABLE a (" + std::string(before) + "{{str(3)}});"));
    CHECK(refused == file + "3:" + std::to_string(17 + std::string_view(before).size()) +
                         ": a logical type without a column's name before it");
  }
  CHECK(refusal(up("CREATE TABLE a (b {{id}")) == file + "3:19: a logical type that is not closed");
  CHECK(refusal(up("SELECT 'x;\n"))
            .starts_with("migrations/identity/0001_create_users.sql: SQL line 3: a quote"));
  CHECK(refusal(whole, "1_create.sql") ==
        "migrations/identity/1_create.sql: the name is not of the form NNNN_name.sql");
  CHECK(refusal(whole, "0000_create.sql") ==
        "migrations/identity/0000_create.sql: the name is not of the form NNNN_name.sql");
  CHECK(refusal("\xFF\n") == "migrations/identity/0001_create_users.sql: not UTF-8 text");
}

TEST_CASE("a comment that only looks like a header stays a comment") {
  CHECK(refusal("-- Note: this table is small\n-- irreversible: x\n-- migrate:up\nSELECT 1;\n") ==
        "accepted");
}
