// SPDX-License-Identifier: Apache-2.0
// Goal: a connection that is lost costs nothing but time, and an unknown outcome is told as one.
#include "support/engine.h"

#include "nerve/core/error.h"

#include <atomic>
#include <filesystem>
#include <string>

using namespace nerve;

namespace {

void create_rows(db::Database& database) {
  database.write(
      [](db::Transaction& transaction) { transaction.execute("CREATE TABLE kept (id int PRIMARY KEY)"); });
}

int count_rows(db::Database& database) {
  return database.read(
      [](db::Transaction& transaction) { return transaction.one<int>("SELECT count(*) FROM kept"); });
}

void add_row(db::Transaction& transaction, int id) {
  transaction.execute("INSERT INTO kept(id) VALUES (:id)", {{"id", id}});
}

}  // namespace

TEST_CASE("a connection that was dropped while it lay in the pool is replaced unseen") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  create_rows(*database);
  CHECK(test::PostgresServer::shared().kill_backends() >= 1);
  database->write([](db::Transaction& transaction) { add_row(transaction, 1); });
  CHECK(count_rows(*database) == 1);
}

TEST_CASE("a connection that is lost inside a write is replaced and the write run again, once committed") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  create_rows(*database);
  int runs = 0;
  database->write([&](db::Transaction& transaction) {
    add_row(transaction, 1);
    if (++runs == 1) test::PostgresServer::shared().kill_backends();
    add_row(transaction, 2);
  });
  CHECK(runs == 2);
  CHECK(count_rows(*database) == 2);
}

TEST_CASE("a lost connection is given up after the bounded number of runs") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  OpenOptions options;
  options.database.attempts = 3;
  const auto database = engine.open(options);
  create_rows(*database);
  int runs = 0;
  CHECK_THROWS_AS(database->write([&](db::Transaction& transaction) {
    ++runs;
    test::PostgresServer::shared().kill_backends();
    add_row(transaction, 1);
  }),
                  ConnectionError);
  CHECK(runs == 3);
  CHECK(count_rows(*database) == 0);
}

TEST_CASE("a server that restarts between two writes is found again") {
  if (test::Postgresql::is_waived()) return;
  test::PostgresServer server;
  const auto database = open_database(server.create_database("restart"));
  create_rows(*database);
  server.restart();
  database->write([](db::Transaction& transaction) { add_row(transaction, 1); });
  CHECK(count_rows(*database) == 1);
  server.stop();
  try {
    count_rows(*database);
    FAIL("read from a stopped server");
  } catch (const ConnectionError& error) {
    CHECK(error.kind() == ErrorKind::unavailable);
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("a connection lost during COMMIT is an unknown outcome and is not tried again") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  create_rows(*database);
  // A deferred trigger runs inside COMMIT, and there ends its own session.
  database->write([](db::Transaction& transaction) {
    transaction.execute_script(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON kept DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        "EXECUTE FUNCTION die()");
  });
  int runs = 0;
  try {
    database->write([&](db::Transaction& transaction) {
      ++runs;
      add_row(transaction, 1);
    });
    FAIL("committed");
  } catch (const TransactionError& error) {
    CHECK(error.outcome() == TransactionError::Outcome::unknown);
    CHECK_FALSE(error.hint().empty());
  }
  CHECK(runs == 1);
  CHECK(count_rows(*database) == 0);  // and the Database goes on with a new connection
}

TEST_CASE("an SQLite file that was replaced is opened anew, and no write goes into the old one") {
  const test::Sqlite engine;
  const auto database = engine.open();
  create_rows(*database);
  database->write([](db::Transaction& transaction) { add_row(transaction, 1); });
  const test::Sqlite other_engine;
  {
    const auto other = other_engine.open();
    create_rows(*other);
    other->write([](db::Transaction& transaction) {
      add_row(transaction, 1);
      add_row(transaction, 2);
    });
  }
  const std::string path = engine.url().substr(7);
  std::filesystem::remove(path + "-wal");
  std::filesystem::remove(path + "-shm");
  std::filesystem::rename(other_engine.url().substr(7), path);
  CHECK(count_rows(*database) == 2);
  database->write([](db::Transaction& transaction) { add_row(transaction, 3); });
  CHECK(count_rows(*engine.open()) == 3);
}

TEST_CASE("a closed Database leaves no -wal behind and holds no descriptor of its file") {
  const test::Sqlite engine;
  const std::string path = engine.url().substr(7);
  {
    const auto database = engine.open();
    create_rows(*database);
    database->write([](db::Transaction& transaction) { add_row(transaction, 1); });
    CHECK(std::filesystem::exists(path + "-wal"));
  }
  CHECK_FALSE(std::filesystem::exists(path + "-wal"));
  CHECK_FALSE(std::filesystem::exists(path + "-shm"));
}

TEST_CASE("what is not a database is refused with its kind, and nothing is made") {
  const test::TempFolder folder;
  CHECK_THROWS_AS(open_database((folder / "missing.db").string()), NotFoundError);
  CHECK_THROWS_AS(open_database(folder.path().string()), Error);
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK_THROWS_AS(open_database("mysql://host/db"), ValidationError);
  CHECK_THROWS_AS(open_database(""), ValidationError);
}

TEST_CASE("a made file is the user's alone") {
  const test::Sqlite engine;
  const auto database = engine.open();
  create_rows(*database);
  const std::string path = engine.url().substr(7);
  for (const std::string suffix : {"", "-wal", "-shm"}) {
    INFO(suffix);
    REQUIRE(std::filesystem::exists(path + suffix));
    CHECK(std::filesystem::status(path + suffix).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  }
}
