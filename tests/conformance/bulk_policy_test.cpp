// SPDX-License-Identifier: Apache-2.0
// Goal: rows that come in bulk pass the policies of row-level security, where PostgreSQL refuses COPY.
// Method: on PostgreSQL as a role that the policies hold for; a superuser passes them by. The same claims on
// SQLite, which has no policies.
#include "support/engine.h"
#include "support/pooler.h"

#include "nerve/core/error.h"
#include "nerve/db/batch_insert.h"

#include <concepts>
#include <string>
#include <vector>

using namespace nerve;
using db::TenantSetting;

namespace {

const Uuid own_tenant = Uuid::parse("0190a8e0-1f2b-7c3d-8e4f-0a1b2c3d4e5f");
const Uuid foreign_tenant = Uuid::parse("0190a8e0-1f2b-7c3d-8e4f-ffffffffffff");
const TenantSetting own = TenantSetting::one(own_tenant);
const std::vector<db::Identifier> badge_columns{"tenant_id", "number", "holder"};
constexpr const char* secret_holder = "Alice-4711";

/// Also makes the table's owner subject to its policies.
void create_badges(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(test::with_types(
        "CREATE TABLE badges (tenant_id {{id}} NOT NULL, number {{num}} NOT NULL CHECK (number >= 0), "
        "holder {{text}} NOT NULL, note {{text}} DEFAULT 'none', PRIMARY KEY (tenant_id, number)) {{strict}}",
        transaction.dialect()));
    if (transaction.dialect() == db::Dialect::sqlite) return;
    transaction.execute("ALTER TABLE badges ENABLE ROW LEVEL SECURITY");
    transaction.execute("ALTER TABLE badges FORCE ROW LEVEL SECURITY");
    transaction.execute(
        "CREATE POLICY of_tenant ON badges USING "
        "(tenant_id = CAST(nullif(current_setting('nerve.tenant', true), '') AS uuid))");
  });
}

/// The database as whom the policies hold for.
template <class Engine>
std::unique_ptr<db::Database> open_as_application(const Engine& engine) {
  create_badges(*engine.open());
  if constexpr (std::same_as<Engine, test::Postgresql>) {
    return open_database(engine.url_of_application());
  } else {
    return engine.open();
  }
}

std::int64_t add_badges(db::Transaction& transaction, const Uuid& tenant, int first, int end) {
  auto bulk = transaction.bulk_insert("badges", badge_columns);
  for (int number = first; number < end; ++number) bulk.add(tenant, number, secret_holder);
  return bulk.finish();
}

int badges_seen(db::Transaction& transaction) {
  return transaction.one<int>("SELECT count(*) FROM badges");
}

/// The error of one bulk insert of these rows; none of it stays.
DatabaseError refusal_of(db::Database& database, const std::vector<std::vector<db::Value>>& rows) {
  try {
    database.write(own, [&](db::Transaction& transaction) {
      auto bulk = transaction.bulk_insert("badges", badge_columns);
      for (const auto& row : rows) bulk.add_row(row);
      bulk.finish();
    });
  } catch (const DatabaseError& error) {
    CHECK(database.read(own, badges_seen) == 0);
    CHECK(std::string(error.what()).find("Alice") == std::string::npos);
    CHECK(std::string(error.what()).find("0190a8e0") == std::string::npos);
    CHECK(std::string(error.what()).find("nerve_bulk") == std::string::npos);
    CHECK_FALSE(error.hint().empty());
    return error;
  }
  FAIL("inserted");
  throw std::logic_error("not reached");
}

std::vector<db::Value> badge(const Uuid& tenant, int number) {
  return {db::Value::owned_text(tenant.to_string()), db::Value::integer(number),
          db::Value::owned_text(secret_holder)};
}

}  // namespace

CONFORMANCE_TEST("bulk inserts of the own tenant go in under its policies, several in one transaction") {
  START_ENGINE(engine);
  const auto database = open_as_application(engine);
  database->write(own, [](db::Transaction& transaction) {
    CHECK(add_badges(transaction, own_tenant, 0, 100) == 100);
    CHECK(add_badges(transaction, own_tenant, 100, 250) == 150);
    transaction.savepoint([&] { CHECK(add_badges(transaction, own_tenant, 250, 300) == 50); });
    CHECK_THROWS_AS(transaction.savepoint([&] {
      add_badges(transaction, own_tenant, 300, 400);
      throw std::runtime_error("undo");
    }),
                    std::runtime_error);
    CHECK(add_badges(transaction, own_tenant, 300, 301) == 1);
    CHECK(add_badges(transaction, own_tenant, 0, 0) == 0);
    CHECK(badges_seen(transaction) == 301);
    CHECK(transaction.one<std::string, std::string>("SELECT holder, note FROM badges WHERE number = 300") ==
          std::tuple<std::string, std::string>(secret_holder, "none"));
  });
  CHECK(database->read(own, badges_seen) == 301);
}

CONFORMANCE_TEST("what a bulk insert refuses is told by the constraint under policies as well") {
  START_ENGINE(engine);
  const auto database = open_as_application(engine);
  const DatabaseError twice = refusal_of(*database, {badge(own_tenant, 1), badge(own_tenant, 1)});
  CHECK(twice.kind() == ErrorKind::conflict);
  const DatabaseError negative = refusal_of(*database, {badge(own_tenant, 1), badge(own_tenant, -1)});
  CHECK(negative.kind() == ErrorKind::invalid);
  std::vector<db::Value> nobody = badge(own_tenant, 2);
  nobody[2] = db::Value();
  const DatabaseError missing = refusal_of(*database, {nobody});
  CHECK(missing.kind() == ErrorKind::invalid);
  CHECK(std::string(missing.what()).find("badges.holder") != std::string::npos);
}

CONFORMANCE_TEST("a batch insert under policies rejects exactly the wrong rows") {
  START_ENGINE(engine);
  const auto database = open_as_application(engine);
  std::vector<std::vector<db::Value>> rows;
  rows.reserve(1'050);
  for (int number = 0; number < 1'050; ++number) rows.push_back(badge(own_tenant, number));
  rows[7] = badge(own_tenant, 3);
  rows[520] = badge(own_tenant, -1);
  const db::BatchReport report = database->write(own, [&](db::Transaction& transaction) {
    return db::BatchInsert("badges", badge_columns, 500).run(transaction, rows);
  });
  CHECK(report.inserted == 1'048);
  REQUIRE(report.rejected.size() == 2);
  CHECK(report.rejected[0].index == 7);
  CHECK(report.rejected[0].kind == ErrorKind::conflict);
  CHECK(report.rejected[1].index == 520);
  CHECK(database->read(own, badges_seen) == 1'048);
}

TEST_CASE("a row of another tenant fails a bulk insert as a whole, and names the table and no value") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = open_as_application(engine);
  const DatabaseError error =
      refusal_of(*database, {badge(own_tenant, 1), badge(foreign_tenant, 2), badge(own_tenant, 3)});
  CHECK(error.kind() == ErrorKind::denied);
  CHECK(error.code() == "42501");
  CHECK(std::string(error.what()) ==
        "new row violates row-level security policy for table \"badges\" (SQLSTATE 42501)");
  CHECK(error.hint() == "Begin the transaction for the tenant whose rows it writes.");
  CHECK_THROWS_AS(
      database->write([](db::Transaction& transaction) { add_badges(transaction, own_tenant, 0, 1); }),
      DatabaseError);
  CHECK(engine.open()->read(badges_seen) == 0);
}

TEST_CASE("a batch insert leaves the rows of another tenant out") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = open_as_application(engine);
  std::vector<std::vector<db::Value>> rows;
  rows.reserve(20);
  for (int number = 0; number < 20; ++number)
    rows.push_back(badge(number % 10 == 4 ? foreign_tenant : own_tenant, number));
  const db::BatchReport report = database->write(own, [&](db::Transaction& transaction) {
    return db::BatchInsert("badges", badge_columns, 5).run(transaction, rows);
  });
  CHECK(report.inserted == 18);
  REQUIRE(report.rejected.size() == 2);
  CHECK(report.rejected[0].index == 4);
  CHECK(report.rejected[0].kind == ErrorKind::denied);
  CHECK(report.rejected[1].index == 14);
}

TEST_CASE("a table's owner that FORCE makes subject to its policies inserts in bulk too") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const std::string url = engine.url_of_application();
  test::PostgresServer::shared().execute("GRANT CREATE ON SCHEMA public TO app", engine.name());
  const auto database = open_database(url);
  create_badges(*database);
  database->write(own, [](db::Transaction& transaction) { add_badges(transaction, own_tenant, 0, 9); });
  CHECK(database->read(own, badges_seen) == 9);
  CHECK_THROWS_AS(
      database->write(own,
                      [](db::Transaction& transaction) { add_badges(transaction, foreign_tenant, 0, 1); }),
      DatabaseError);
}

TEST_CASE("no temporary table is left, neither in the session nor in that of a pool") {
  if (test::Postgresql::is_waived() || !test::Pooler::is_installed()) return;
  const test::Postgresql engine;
  create_badges(*engine.open());
  engine.url_of_application();  // makes the role
  const test::Pooler pooler(test::PostgresServer::shared());
  OpenOptions options;
  options.database.pool_size = 1;
  const auto database = open_database(pooler.url(engine.name(), "app"), options);
  const auto temporary_tables = [](db::Transaction& transaction) {
    return transaction.one<int>("SELECT count(*) FROM pg_class WHERE relpersistence = 't'");
  };
  database->write(own, [&](db::Transaction& transaction) {
    add_badges(transaction, own_tenant, 0, 5);
    CHECK(temporary_tables(transaction) == 0);
    add_badges(transaction, own_tenant, 5, 9);
  });
  CHECK_THROWS_AS(database->write(own,
                                  [&](db::Transaction& transaction) {
                                    auto bulk = transaction.bulk_insert("badges", badge_columns);
                                    bulk.add(own_tenant, 10, "x");
                                  }),
                  TransactionError);
  CHECK(database->read(own, temporary_tables) == 0);
  CHECK(database->read(own, badges_seen) == 9);
}

TEST_CASE("a role without TEMPORARY on the database is told so") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = open_as_application(engine);
  test::PostgresServer::shared().execute("REVOKE TEMPORARY ON DATABASE " + engine.name() + " FROM PUBLIC");
  try {
    database->write(own, [](db::Transaction& transaction) { add_badges(transaction, own_tenant, 0, 1); });
    FAIL("inserted");
  } catch (const DatabaseError& error) {
    CHECK(error.kind() == ErrorKind::denied);
    CHECK(std::string(error.what()).find("temporary tables") != std::string::npos);
  }
}
