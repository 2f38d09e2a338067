// SPDX-License-Identifier: Apache-2.0
// The roles are made on the test's own server, and each one tries what it may do and what it may not.
#include "nerve/workspace/roles.h"

#include "workspace/scene.h"

#include "nerve/core/error.h"
#include "nerve/migrations/migrator.h"

#include <doctest/doctest.h>

#include <string>

using namespace nerve;
using test::Postgresql;
using test::PostgresServer;
using test::Scene;

namespace {

constexpr std::string_view insert_tenant =
    "INSERT INTO tenants (id, slug, name, created_at, updated_at) VALUES "
    "('01a1fef8-ca48-73cc-95ea-c4e2f6662794', 'acme', 'Acme', now(), now())";

/// The same database as another user; the test server asks nobody on its socket for a password.
std::string url_as(const std::string& url, const std::string& role) {
  const std::string scheme = "postgresql://";
  REQUIRE(url.starts_with(scheme));
  const std::size_t at = url.find('@');
  const std::string rest = at == std::string::npos ? url.substr(scheme.size()) : url.substr(at + 1);
  return scheme + role + "@" + rest;
}

/// How a statement ends for a role: "ok", or the kind of its error.
std::string outcome(const std::string& url, const std::string& role, std::string_view sql) {
  try {
    const auto database = open_database(url_as(url, role));
    database->write([&](db::Transaction& t) { t.execute(sql); });
    return "ok";
  } catch (const Error& error) {
    return std::string(to_string(error.kind()));
  }
}

void apply_roles(const std::string& url, Store store) {
  const auto database = open_database(url_as(url, "postgres"));  // who lets the others in
  const auto name =
      database->read([](db::Transaction& t) { return t.one<std::string>("SELECT current_database()"); });
  PostgresServer::shared().execute(workspace::role_statements(test::composition().modules, store, name),
                                   name);
}

}  // namespace

TEST_CASE(
    "each role may do what its work needs and nothing else, and neither store's roles get into the other") {
  if (Postgresql::is_waived()) return;
  Scene<Postgresql> scene;
  const std::string core = scene.places().core;
  const std::string secure = scene.places().secure;
  apply_roles(core, Store::core);
  apply_roles(secure, Store::secure);
  apply_roles(core, Store::core);  // again, as after a migration

  SUBCASE("the application reads and writes rows, and changes no schema, no history and no identity") {
    const std::string app = "nerve_core_application";
    CHECK(outcome(core, app, insert_tenant) == "ok");
    CHECK(outcome(core, app, "UPDATE tenants SET name = 'Acme Ltd' WHERE slug = 'acme'") == "ok");
    CHECK(outcome(core, app, "SELECT id FROM companies") == "ok");
    CHECK(outcome(core, app, "SELECT version FROM schema_migrations") == "ok");
    CHECK(outcome(core, app, "DELETE FROM schema_migrations") == "denied");
    CHECK(outcome(core, app, "UPDATE store_identity SET store = 'secure'") == "denied");
    CHECK(outcome(core, app, "TRUNCATE tenants CASCADE") == "denied");
    CHECK(outcome(core, app, "DROP TABLE webhooks") == "denied");
    CHECK(outcome(core, app, "CREATE TABLE mine(id int)") == "denied");
    CHECK(outcome(core, app, "CREATE TEMPORARY TABLE mine(id int)") == "ok");  // for bulk inserts
    CHECK(outcome(core, app, "CREATE SCHEMA mine") == "denied");
    CHECK(outcome(core, app, "ALTER TABLE tenants DISABLE TRIGGER ALL") == "denied");
  }
  SUBCASE("an append-only table takes rows and keeps them") {
    const std::string app = "nerve_secure_application";
    CHECK(outcome(secure, app, "INSERT INTO vault_log VALUES (1, 'x')") == "ok");
    CHECK(outcome(secure, app, "UPDATE vault_log SET body = 'y'") == "denied");
    CHECK(outcome(secure, app, "DELETE FROM vault_log") == "denied");
  }
  SUBCASE("the auditor reads what is not sealed, and writes nothing") {
    CHECK(outcome(core, "nerve_core_auditor", "SELECT name FROM tenants") == "ok");
    CHECK(outcome(core, "nerve_core_auditor", insert_tenant) == "denied");
    CHECK(outcome(core, "nerve_core_auditor", "CREATE TEMPORARY TABLE mine(id int)") == "denied");
    CHECK(outcome(secure, "nerve_secure_auditor", "SELECT id, tenant_id FROM vault_items") == "ok");
    CHECK(outcome(secure, "nerve_secure_auditor", "SELECT material FROM vault_items") == "denied");
  }
  SUBCASE("no role of a store can connect to the other") {
    for (const std::string role : {"owner", "application", "auditor"}) {
      CHECK(outcome(secure, "nerve_core_" + role, "SELECT 1") == "denied");
      CHECK(outcome(core, "nerve_secure_" + role, "SELECT 1") == "denied");
    }
  }
  SUBCASE("the owner migrates, and a new table is open to nobody else until the roles are made again") {
    const auto database = open_database(url_as(core, "nerve_core_owner"));
    const migrations::MigrationSet set = test::composition().migrations(Store::core);
    migrations::Migrator migrator(*database, set);
    CHECK(migrator.down(1).size() == 1);
    CHECK(migrator.up().size() == 1);
    CHECK(outcome(core, "nerve_core_application", "SELECT id FROM vault_links") == "denied");
    apply_roles(core, Store::core);
    CHECK(outcome(core, "nerve_core_application", "SELECT id FROM vault_links") == "ok");
  }
}

TEST_CASE("the statements hold no password, and any name of a database is quoted") {
  const std::string sql = workspace::role_statements(builtin_modules(), Store::core, "my \"db\"");
  CHECK(sql.find("PASSWORD '") == std::string::npos);
  CHECK(sql.find("GRANT CONNECT ON DATABASE \"my \"\"db\"\"\" TO") != std::string::npos);
}
