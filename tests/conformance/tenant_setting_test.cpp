// SPDX-License-Identifier: Apache-2.0
// Goal: a transaction's tenant is what policies of row-level security see, and no globex transaction's.
// Method: one connection, so that each transaction meets the session of the one before, and for policies a
// role that they hold for.
#include "nerve/db/tenant_setting.h"

#include "support/engine.h"
#include "support/pooler.h"

#include "nerve/core/error.h"

#include <string>

using namespace nerve;
using db::TenantSetting;

namespace {

const std::string acme_text = "0190a8e0-1f2b-7c3d-8e4f-0a1b2c3d4e5f";
const Uuid acme = Uuid::parse(acme_text);
const Uuid globex = Uuid::parse("0190a8e0-1f2b-7c3d-8e4f-ffffffffffff");

OpenOptions with_one_connection() {
  OpenOptions options;
  options.database.pool_size = 1;
  return options;
}

std::string tenant_seen(db::Transaction& transaction) {
  return transaction.one<std::string>("SELECT current_setting('nerve.tenant')");
}

void create_notes_of_tenants(const test::Postgresql& engine) {
  engine.open()->write([](db::Transaction& transaction) {
    transaction.execute("CREATE TABLE notes (tenant_id uuid NOT NULL, body text NOT NULL)");
    transaction.execute("ALTER TABLE notes ENABLE ROW LEVEL SECURITY");
    transaction.execute(
        "CREATE POLICY of_tenant ON notes USING "
        "(tenant_id = CAST(nullif(current_setting('nerve.tenant', true), '') AS uuid))");
  });
}

void add_note_of(db::Transaction& transaction, const Uuid& tenant) {
  transaction.execute("INSERT INTO notes(tenant_id, body) VALUES (:tenant, 'x')", {{"tenant", tenant}});
}

int notes_seen(db::Transaction& transaction) {
  return transaction.one<int>("SELECT count(*) FROM notes");
}

/// What each kind of transaction finds, one after the globex on one session.
void check_settings(db::Database& database) {
  for (int round = 0; round < 2; ++round) {
    CHECK(database.read(TenantSetting::one(acme), tenant_seen) == acme_text);
    CHECK(database.read(tenant_seen).empty());
    CHECK(database.write(TenantSetting::all(), tenant_seen) == "*");
    CHECK(database.write(tenant_seen).empty());
    CHECK(database.read(TenantSetting::one(globex), tenant_seen) == globex.to_string());
    CHECK(database.read_catalogue(tenant_seen).empty());
    // What somebody sets for longer than a transaction is not met by the next ones.
    database.write([](db::Transaction& transaction) {
      transaction.one<std::string>("SELECT set_config('nerve.tenant', 'left behind', false)");
    });
    CHECK(database.write(TenantSetting::none(), tenant_seen).empty());
    CHECK(database.write(TenantSetting::one(acme), tenant_seen) == acme_text);
  }
}

}  // namespace

CONFORMANCE_TEST("read and write for a tenant are as those without on both engines") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write(TenantSetting::one(acme), [](db::Transaction& transaction) {
    transaction.execute("CREATE TABLE t (id int)");
    transaction.execute("INSERT INTO t(id) VALUES (7)");
  });
  CHECK(database->read(TenantSetting::all(), [](db::Transaction& transaction) {
    return transaction.one<int>("SELECT id FROM t");
  }) == 7);
  CHECK_THROWS_AS(database->read(TenantSetting::one(acme),
                                 [](db::Transaction& transaction) { transaction.execute("DELETE FROM t"); }),
                  DatabaseError);
}

TEST_CASE("a tenant's setting is an empty text, an id or an asterisk") {
  CHECK(TenantSetting().text().empty());
  CHECK(TenantSetting::none().text().empty());
  CHECK(TenantSetting::one(acme).text() == acme_text);
  CHECK(TenantSetting::all().text() == "*");
  CHECK(TenantSetting::one(acme) != TenantSetting::one(globex));
}

TEST_CASE("each transaction has the tenant it was begun for, or an empty setting, whatever was before") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  check_settings(*engine.open(with_one_connection()));
}

TEST_CASE("the same holds behind a proxy that has one connection for all") {
  if (test::Postgresql::is_waived() || !test::Pooler::is_installed()) return;
  const test::Postgresql engine;
  for (const auto kind : {test::StartupOptions::refused, test::StartupOptions::ignored}) {
    const test::Pooler pooler(test::PostgresServer::shared(), kind);
    const auto first = open_database(pooler.url(engine.name()), with_one_connection());
    const auto second = open_database(pooler.url(engine.name()), with_one_connection());
    check_settings(*first);
    first->read(TenantSetting::one(acme), tenant_seen);
    CHECK(second->read(tenant_seen).empty());
    CHECK(second->write(TenantSetting::all(), tenant_seen) == "*");
  }
}

TEST_CASE("the setting goes with the message that begins the transaction") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open(with_one_connection());
  const auto last_message = [&](db::Transaction& /*transaction*/) {
    return test::PostgresServer::shared().query_text(
        "SELECT query FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = '" +
        engine.name() + "'");
  };
  const std::string message = database->write(TenantSetting::one(acme), last_message);
  CHECK(message.starts_with("BEGIN;"));
  CHECK(message.find("nerve.tenant='" + acme_text + "'") != std::string::npos);
}

TEST_CASE("the setting stays through savepoints, and comes back with a savepoint that is undone") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open(with_one_connection());
  database->write(TenantSetting::one(acme), [](db::Transaction& transaction) {
    transaction.savepoint([&] { CHECK(tenant_seen(transaction) == acme_text); });
    CHECK_THROWS_AS(transaction.savepoint([&] {
      CHECK(tenant_seen(transaction) == acme_text);
      transaction.savepoint([&] {
        transaction.one<std::string>("SELECT set_config('nerve.tenant', '*', true)");
        CHECK(tenant_seen(transaction) == "*");
      });
      transaction.execute("SELECT 1 / 0");
    }),
                    DatabaseError);
    CHECK(tenant_seen(transaction) == acme_text);
  });
  CHECK(database->read(tenant_seen).empty());
}

TEST_CASE("policies let a role see and write the rows of the transaction's tenant only") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  create_notes_of_tenants(engine);
  const auto database = open_database(engine.url_of_application(), with_one_connection());
  database->write(TenantSetting::one(acme),
                  [](db::Transaction& transaction) { add_note_of(transaction, acme); });
  database->write(TenantSetting::one(globex), [](db::Transaction& transaction) {
    add_note_of(transaction, globex);
    add_note_of(transaction, globex);
    try {
      transaction.savepoint([&] { add_note_of(transaction, acme); });
      FAIL("written");
    } catch (const DatabaseError& error) {
      CHECK(error.kind() == ErrorKind::denied);
      CHECK(error.code() == "42501");
    }
    CHECK(notes_seen(transaction) == 2);
  });
  CHECK(database->read(TenantSetting::one(acme), notes_seen) == 1);
  CHECK(database->read(notes_seen) == 0);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) { add_note_of(transaction, acme); }),
                  DatabaseError);
  CHECK(engine.open()->read(notes_seen) == 3);
}

TEST_CASE("all tenants are seen where a policy asks for it, and are an error where none does") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  create_notes_of_tenants(engine);
  const auto database = open_database(engine.url_of_application(), with_one_connection());
  for (const Uuid& tenant : {acme, globex}) {
    database->write(TenantSetting::one(tenant),
                    [&](db::Transaction& transaction) { add_note_of(transaction, tenant); });
  }
  CHECK_THROWS_AS(database->read(TenantSetting::all(), notes_seen), DatabaseError);
  engine.open()->write([](db::Transaction& transaction) {
    transaction.execute(
        "ALTER POLICY of_tenant ON notes USING "
        "(tenant_id = CAST(nullif(nullif(current_setting('nerve.tenant', true), ''), '*') AS uuid))");
  });
  CHECK(database->read(TenantSetting::all(), notes_seen) == 0);
  engine.open()->write([](db::Transaction& transaction) {
    transaction.execute(
        "CREATE POLICY of_all ON notes FOR SELECT USING (current_setting('nerve.tenant', true) = '*')");
  });
  CHECK(database->read(TenantSetting::all(), notes_seen) == 2);
  CHECK(database->read(TenantSetting::one(acme), notes_seen) == 1);
  CHECK(database->read(notes_seen) == 0);
}
