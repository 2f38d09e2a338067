// SPDX-License-Identifier: Apache-2.0
#include "support/engine.h"

#include "nerve/core/error.h"

#include <chrono>
#include <string>

using namespace nerve;
using namespace std::chrono_literals;

namespace {

std::string setting(db::Database& database, const std::string& name) {
  return database.read([&](db::Transaction& transaction) {
    return transaction.one<std::string>("SELECT current_setting(:name)", {{"name", name}});
  });
}

}  // namespace

TEST_CASE("an SQLite connection is in WAL mode, syncs fully, and enforces foreign keys") {
  const test::Sqlite engine;
  const auto database = engine.open();
  database->read([](db::Transaction& transaction) {
    CHECK(transaction.one<std::string>("SELECT journal_mode FROM pragma_journal_mode") == "wal");
    CHECK(transaction.one<int>("SELECT synchronous FROM pragma_synchronous") == 2);
    CHECK(transaction.one<int>("SELECT foreign_keys FROM pragma_foreign_keys") == 1);
    CHECK(transaction.one<int>("SELECT timeout FROM pragma_busy_timeout") == 5000);
  });
}

TEST_CASE("an SQLite connection is defensive: the schema table cannot be written") {
  const test::Sqlite engine;
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) { transaction.execute("CREATE TABLE t (id int)"); });
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    transaction.execute("UPDATE sqlite_schema SET sql = 'x' WHERE name = 't'");
  }),
                  DatabaseError);
  CHECK_THROWS_AS(database->read([](db::Transaction& transaction) {
    return transaction.one<std::string>("SELECT \"no_such_column\"");  // not read as a text
  }),
                  DatabaseError);
}

TEST_CASE("a read-only SQLite database is not changed, not even its journal mode") {
  const test::Sqlite engine;
  OpenOptions options;
  options.wal = false;
  engine.open(options)->write(
      [](db::Transaction& transaction) { transaction.execute("CREATE TABLE t (id int)"); });
  options.read_only = true;
  const auto database = open_database(engine.url(), options);
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.one<std::string>("SELECT journal_mode FROM pragma_journal_mode");
  }) == "delete");
  CHECK_THROWS_AS(
      database->write([](db::Transaction& transaction) { transaction.execute("INSERT INTO t VALUES (1)"); }),
      Error);
}

TEST_CASE("a path may hold spaces, quotes, equals signs and percent signs") {
  const test::TempFolder folder;
  for (const std::string name : {"with space.db", "it's=100% \"quoted\" ?#&.db", "dbname=x timeout=1.db"}) {
    INFO(name);
    OpenOptions options;
    options.create = true;
    const auto database = open_database((folder / name).string(), options);
    database->write([](db::Transaction& transaction) { transaction.execute("CREATE TABLE t (id int)"); });
    CHECK(std::filesystem::file_size(folder / name) > 0);
  }
}

TEST_CASE("a PostgreSQL session speaks UTC, ISO dates and UTF-8, whatever the server's defaults are") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  CHECK(setting(*database, "TimeZone") == "UTC");
  CHECK(setting(*database, "DateStyle") == "ISO, YMD");
  CHECK(setting(*database, "client_encoding") == "UTF8");
  CHECK(setting(*database, "transaction_isolation") == "repeatable read");
  CHECK(setting(*database, "transaction_read_only") == "on");
  CHECK(database->write([](db::Transaction& transaction) {
    return transaction.one<std::string>("SELECT current_setting('transaction_isolation')");
  }) == "read committed");
}

TEST_CASE("a PostgreSQL statement that takes too long is ended with its remedy") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  OpenOptions options;
  options.statement_timeout = 50ms;
  const auto database = engine.open(options);
  try {
    database->read([](db::Transaction& transaction) { transaction.execute("SELECT pg_sleep(5)"); });
    FAIL("slept");
  } catch (const DatabaseError& error) {
    CHECK(error.code() == "57014");
    CHECK(error.kind() == ErrorKind::unavailable);
    CHECK(error.hint().find("statement_timeout") != std::string::npos);
  }
}

TEST_CASE("waiting for a lock on PostgreSQL ends after the lock timeout") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  OpenOptions options;
  options.lock_timeout = 50ms;
  const auto database = engine.open(options);
  database->write([](db::Transaction& transaction) { transaction.execute("CREATE TABLE t (id int)"); });
  database->write([&](db::Transaction& transaction) {
    transaction.execute("LOCK TABLE t");
    try {
      database->write([](db::Transaction& other) { other.execute("INSERT INTO t VALUES (1)"); });
      FAIL("written");
    } catch (const DatabaseError& error) {
      CHECK(error.code() == "55P03");
    }
  });
}

TEST_CASE("of several hosts the one that fits target_session_attrs is used") {
  if (test::Postgresql::is_waived()) return;
  test::PostgresServer read_only;
  read_only.execute("ALTER SYSTEM SET default_transaction_read_only = on");
  read_only.restart();
  test::PostgresServer& writable = test::PostgresServer::shared();
  const auto url_of = [&](const std::string& attributes) {
    return "postgresql:///postgres?user=postgres&host=/nowhere," + read_only.socket_folder().string() + "," +
           writable.socket_folder().string() + "&port=5432," + std::to_string(read_only.port()) + "," +
           std::to_string(writable.port()) + "&target_session_attrs=" + attributes;
  };
  const auto folder_of = [](const std::string& url) {
    return setting(*open_database(url), "unix_socket_directories");
  };
  CHECK(folder_of(url_of("read-write")) == writable.socket_folder().string());
  CHECK(folder_of(url_of("any")) == read_only.socket_folder().string());
}
