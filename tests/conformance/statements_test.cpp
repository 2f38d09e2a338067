// SPDX-License-Identifier: Apache-2.0
#include "support/engine.h"

#include "nerve/core/error.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace nerve;

namespace {

void create_notes(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(test::with_types(
        "CREATE TABLE notes (id {{num}} PRIMARY KEY, body {{text}} NOT NULL, at {{ts}}) {{strict}}",
        transaction.dialect()));
  });
}

void add_note(db::Transaction& transaction, std::int64_t id, std::string_view body) {
  transaction.execute("INSERT INTO notes(id, body) VALUES (:id, :body)", {{"id", id}, {"body", body}});
}

std::int64_t count_notes(db::Database& database) {
  return database.read([](db::Transaction& transaction) {
    return transaction.one<std::int64_t>("SELECT count(*) FROM notes");
  });
}

}  // namespace

CONFORMANCE_TEST("execute returns the number of rows it changed") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  database->write([](db::Transaction& transaction) {
    for (int id = 1; id <= 5; ++id) add_note(transaction, id, "x");
    CHECK(transaction.execute("UPDATE notes SET body = :b WHERE id > :id", {{"b", "y"}, {"id", 2}}) == 3);
    CHECK(transaction.execute("DELETE FROM notes WHERE id = :id", {{"id", 99}}) == 0);
    CHECK(transaction.execute("SELECT id FROM notes WHERE id > :id", {{"id", 0}}) == 0);
    CHECK(transaction.execute("CREATE INDEX notes_body ON notes(body)") == 0);
  });
}

CONFORMANCE_TEST("parameters are bound by name, in any order and as often as they are used") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  const auto text = database->write([](db::Transaction& transaction) {
    transaction.execute("INSERT INTO notes(id, body) VALUES (:id, :body)", {{"body", "b"}, {"id", 7}});
    return transaction.one<std::string>("SELECT body FROM notes WHERE id = :id AND :id < 8 AND body = :body",
                                        {{"id", 7}, {"body", "b"}});
  });
  CHECK(text == "b");
}

CONFORMANCE_TEST("a missing, unknown or repeated parameter is refused and nothing runs") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  database->write([](db::Transaction& transaction) {
    const std::string sql = "INSERT INTO notes(id, body) VALUES (:id, :body)";
    CHECK_THROWS_AS(transaction.execute(sql, {{"id", 1}}), ValidationError);
    CHECK_THROWS_AS(transaction.execute(sql, {{"id", 1}, {"title", "x"}}), ValidationError);
    CHECK_THROWS_AS(transaction.execute(sql, {{"id", 1}, {"id", 2}}), ValidationError);
    CHECK_THROWS_AS(transaction.execute(sql, {{"id", 1}, {"body", "x"}, {"more", 1}}), ValidationError);
  });
  CHECK(count_notes(*database) == 0);
}

CONFORMANCE_TEST("colons inside quotes and comments are not parameters") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const auto row = database->read([](db::Transaction& transaction) {
    return transaction.one<std::string, std::string>(
        "SELECT 'it''s :not a parameter' AS \"a:b\", -- nor :this\n CAST(:v AS TEXT) /* or :that; */ ;",
        {{"v", "yes"}});
  });
  CHECK(row == std::tuple<std::string, std::string>("it's :not a parameter", "yes"));
}

CONFORMANCE_TEST("texts that the engines would read differently are refused with the line") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->read([](db::Transaction& transaction) {
    for (const std::string sql : {"SELECT 1; SELECT 2",
                                  "SELECT ?",
                                  "SELECT $1",
                                  "SELECT @v",
                                  "SELECT '1'::int",
                                  "SELECT E'a\\'b'",
                                  "SELECT 'open",
                                  "SELECT 1 /* open",
                                  "SELECT [a]",
                                  "SELECT `a`",
                                  "BEGIN",
                                  "commit",
                                  "ROLLBACK",
                                  "SAVEPOINT a",
                                  "ATTACH 'x' AS y",
                                  "PRAGMA user_version",
                                  "VACUUM",
                                  "SET timezone = 'UTC'",
                                  "",
                                  "  -- nothing\n",
                                  "SELECT :"}) {
      INFO(sql);
      CHECK_THROWS_AS(transaction.execute(sql), ValidationError);
    }
    try {
      transaction.execute("SELECT 1,\n  2,\n  ?");
      FAIL("accepted");
    } catch (const ValidationError& error) {
      CHECK(std::string(error.what()).find("line 3") != std::string::npos);
      CHECK_FALSE(error.hint().empty());
    }
    CHECK(transaction.one<int>("SELECT 1") == 1);  // nothing of that ended the transaction
  });
}

CONFORMANCE_TEST("INSERT … RETURNING inserts once and gives its row") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  const auto row = database->write([](db::Transaction& transaction) {
    return transaction.one<std::int64_t, std::string>(
        "INSERT INTO notes(id, body) VALUES (:id, :body) RETURNING id, body",
        {{"id", 1LL << 40}, {"body", "once"}});
  });
  CHECK(row == std::tuple<std::int64_t, std::string>(1LL << 40, "once"));
  CHECK(count_notes(*database) == 1);
}

CONFORMANCE_TEST("UPDATE … RETURNING of several rows changes all of them, also when reading ends early") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  database->write([](db::Transaction& transaction) {
    for (int id = 1; id <= 4; ++id) add_note(transaction, id, "old");
    transaction.each<std::int64_t>("UPDATE notes SET body = :b RETURNING id", {{"b", "new"}},
                                   [](std::int64_t) { return false; });
  });
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<std::int64_t>("SELECT count(*) FROM notes WHERE body = 'new'");
  }) == 4);
}

CONFORMANCE_TEST("upserts work alike") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  const auto body = database->write([](db::Transaction& transaction) {
    const std::string sql =
        "INSERT INTO notes(id, body) VALUES (:id, :body) ON CONFLICT (id) DO UPDATE SET body = excluded.body "
        "|| '!' "
        "RETURNING body";
    transaction.one<std::string>(sql, {{"id", 1}, {"body", "a"}});
    return transaction.one<std::string>(sql, {{"id", 1}, {"body", "b"}});
  });
  CHECK(body == "b!");
}

CONFORMANCE_TEST("one wants exactly one row, maybe at most one") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  database->write([](db::Transaction& transaction) {
    add_note(transaction, 1, "a");
    add_note(transaction, 2, "b");
    const std::string sql = "SELECT body FROM notes WHERE id >= :id ORDER BY id";
    CHECK(transaction.one<std::string>(sql, {{"id", 2}}) == "b");
    CHECK_THROWS_AS(transaction.one<std::string>(sql, {{"id", 3}}), NotFoundError);
    CHECK_THROWS_AS(transaction.one<std::string>(sql, {{"id", 1}}), DatabaseError);
    CHECK(transaction.maybe<std::string>(sql, {{"id", 3}}) == std::nullopt);
    CHECK_THROWS_AS(transaction.maybe<std::string>(sql, {{"id", 1}}), DatabaseError);
  });
}

CONFORMANCE_TEST("a result with another number of columns than asked for is an error") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->read([](db::Transaction& transaction) {
    CHECK_THROWS_AS((transaction.one<int, int>("SELECT 1")), DatabaseError);
  });
  database->read([](db::Transaction& transaction) {
    CHECK_THROWS_AS(transaction.one<int>("SELECT 1, 2"), DatabaseError);
    CHECK(transaction.one<int>("SELECT 3") == 3);
  });
}

CONFORMANCE_TEST("a statement can be used again inside its own loop") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  const auto pairs = database->write([](db::Transaction& transaction) {
    for (int id = 1; id <= 3; ++id) add_note(transaction, id, "x");
    const std::string sql = "SELECT id FROM notes WHERE id > :after ORDER BY id";
    std::vector<std::pair<int, int>> found;
    transaction.each<int>(sql, {{"after", 0}}, [&](int outer) {
      transaction.each<int>(sql, {{"after", outer}}, [&](int inner) { found.emplace_back(outer, inner); });
    });
    return found;
  });
  CHECK(pairs == std::vector<std::pair<int, int>>{{1, 2}, {1, 3}, {2, 3}});
}

CONFORMANCE_TEST("a prepared statement in a loop keeps no value of the round before") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  database->write([](db::Transaction& transaction) {
    db::Statement insert = transaction.prepare("INSERT INTO notes(id, body, at) VALUES (:id, :body, :at)");
    insert.execute({{"id", 1}, {"body", "with time"}, {"at", Timestamp::parse("2024-01-01T00:00:00Z")}});
    insert.execute({{"id", 2}, {"body", "without"}, {"at", nullptr}});
    CHECK(transaction.one<std::optional<Timestamp>>("SELECT at FROM notes WHERE id = 2") == std::nullopt);
  });
}

CONFORMANCE_TEST("a read that ended early pins no old snapshot") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  database->write([](db::Transaction& transaction) {
    for (int id = 1; id <= 100; ++id) add_note(transaction, id, "x");
  });
  database->read([](db::Transaction& transaction) {
    transaction.each<int>("SELECT id FROM notes ORDER BY id", {}, [](int) { return false; });
  });
  CHECK_THROWS_AS(database->read([](db::Transaction& transaction) {
    transaction.each<int>("SELECT id FROM notes ORDER BY id", {},
                          [](int) { throw std::runtime_error("stop"); });
  }),
                  std::runtime_error);
  for (int round = 0; round < 3; ++round) {
    database->write([&](db::Transaction& transaction) { add_note(transaction, 1000 + round, "after"); });
    CHECK(count_notes(*database) == 101 + round);
  }
}

CONFORMANCE_TEST("cached statements survive a change of the schema by this and by another program") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const auto other = engine.open();
  create_notes(*database);
  const auto read_all = [&] {
    return database->read([](db::Transaction& transaction) {
      return transaction.one<std::int64_t>("SELECT count(*) FROM (SELECT * FROM notes) AS everything");
    });
  };
  CHECK(read_all() == 0);
  database->write(
      [](db::Transaction& transaction) { transaction.execute("ALTER TABLE notes ADD COLUMN more TEXT"); });
  CHECK(read_all() == 0);
  other->write([](db::Transaction& transaction) {
    transaction.execute("ALTER TABLE notes DROP COLUMN more");
    add_note(transaction, 1, "x");
  });
  CHECK(read_all() == 1);
}

CONFORMANCE_TEST("lists are bound as JSON") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  const auto bodies = database->write([](db::Transaction& transaction) {
    for (int id = 1; id <= 4; ++id) add_note(transaction, id, "body " + std::to_string(id));
    std::vector<std::string> found;
    transaction.each<std::string>("SELECT body FROM notes WHERE body IN (SELECT value FROM " +
                                      db::elements_expression(transaction.dialect(), "bodies") +
                                      ") ORDER BY id",
                                  {{"bodies", Json({"body 2", "body 4", "none"})}},
                                  [&](const std::string& body) { found.push_back(body); });
    return found;
  });
  CHECK(bodies == std::vector<std::string>{"body 2", "body 4"});
}

CONFORMANCE_TEST("months are counted in UTC") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_notes(*database);
  const auto month = database->write([](db::Transaction& transaction) {
    transaction.execute("INSERT INTO notes(id, body, at) VALUES (1, 'x', :at)",
                        {{"at", Timestamp::parse("2024-02-29T23:59:59.999999Z")}});
    return transaction.one<std::string>("SELECT " + db::month_expression(transaction.dialect(), "at") +
                                        " FROM notes");
  });
  CHECK(month == "2024-02");
}

CONFORMANCE_TEST("a script runs all of its statements, and none when one fails") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute_script(
        "CREATE TABLE a (id int); -- first; comment\nCREATE TABLE b (t text DEFAULT 'x;y');\n"
        "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2);");
  });
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<int>("SELECT count(*) FROM a");
  }) == 2);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    transaction.execute_script(
        "INSERT INTO a VALUES (3); INSERT INTO missing VALUES (1); INSERT INTO a VALUES (4)");
  }),
                  DatabaseError);
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<int>("SELECT count(*) FROM a");
  }) == 2);
}

CONFORMANCE_TEST("a COMMIT hidden in a script is refused and leaves nothing behind") {
  START_ENGINE(engine);
  const auto database = engine.open();
  for (const std::string script :
       {"CREATE TABLE half (id int); COMMIT; CREATE TABLE rest (id int)",
        "CREATE TABLE half (id int); /* x */ ROLLBACK", "BEGIN; CREATE TABLE half (id int)",
        "CREATE TABLE half (id int);\nsavepoint s; RELEASE s"}) {
    INFO(script);
    CHECK_THROWS_AS(
        database->write([&](db::Transaction& transaction) { transaction.execute_script(script); }), Error);
    CHECK_THROWS_AS(
        database->read([](db::Transaction& transaction) { transaction.execute("SELECT id FROM half"); }),
        DatabaseError);
  }
}
