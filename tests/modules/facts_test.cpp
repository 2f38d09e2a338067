// SPDX-License-Identifier: Apache-2.0
// What the modules say of their tables, held against the schema that their migrations make on both engines.
#include "modules/migrated_store.h"

#include "nerve/cross_store.h"
#include "nerve/modules/builtin.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace nerve;
using test::MigratedStore;
using test::Relation;

namespace {

bool has(const Relation& relation, std::string_view column) {
  return std::ranges::find(relation.columns, column) != relation.columns.end();
}

void check_facts(const RecordType& record, const Relation& relation) {
  INFO(std::string(record.table()));
  const RecordFacts& facts = record.facts();
  CHECK_FALSE(relation.is_view);
  CHECK(std::ranges::equal(relation.key, record.key_columns()));
  CHECK(has(relation, "tenant_id") == facts.is_tenant_owned);
  CHECK(has(relation, "created_by") == facts.has_creator);
  for (const Field& field : record.fields()) CHECK_MESSAGE(has(relation, field.name), field.name);
  for (const std::string& column : relation.columns) {
    const bool is_cores = column == "tenant_id" || column == "created_by" || column == "is_active";
    CHECK_MESSAGE((is_cores || record.find(column) != nullptr), column << " is no field");
  }
  if (facts.retention) CHECK(has(relation, facts.retention->since_column));
}

}  // namespace

CONFORMANCE_TEST("every fact of every table is so, and no table or view is there that no module names") {
  if (Engine::is_waived()) return;
  for (const Store store : every_store) {
    MigratedStore<Engine> migrated(store);
    std::map<std::string, Relation> relations = test::read_relations(migrated.database());
    CHECK(relations.erase("schema_migrations") == 1);
    CHECK(relations.erase("migration_events") == 1);
    for (const Module* module : builtin_modules()) {
      if (!is_in(module->placement, store)) continue;
      for (const RecordType* record : module->records) {
        const auto found = relations.find(std::string(record->table()));
        REQUIRE_MESSAGE(found != relations.end(), record->table());
        check_facts(*record, found->second);
        relations.erase(found);
      }
      for (const std::string_view view : module->views) {
        const auto found = relations.find(std::string(view));
        REQUIRE_MESSAGE(found != relations.end(), view);
        CHECK_MESSAGE(found->second.is_view, view);
        relations.erase(found);
      }
    }
    for (const auto& relation : relations) CHECK_MESSAGE(false, relation.first << " is in no module's list");
  }
}

TEST_CASE("on PostgreSQL a wall that holds the owner, too, stands before every table of tenants") {
  if (test::Postgresql::is_waived()) return;
  for (const Store store : every_store) {
    MigratedStore<test::Postgresql> migrated(store);
    for (const Module* module : builtin_modules()) {
      if (!is_in(module->placement, store)) continue;
      for (const RecordType* record : module->records) {
        const std::string state = migrated.database().read([&](db::Transaction& transaction) {
          return transaction.one<std::string>(
              "SELECT concat(c.relrowsecurity, ' ', c.relforcerowsecurity, ' ', (SELECT count(*) FROM "
              "pg_policy "
              "AS p WHERE p.polrelid = c.oid)) FROM pg_class AS c WHERE c.oid = to_regclass(:table)",
              {{"table", record->table()}});
        });
        const bool is_walled = record->is_tenant_owned() || record->facts().is_tenant;
        CHECK_MESSAGE(state == (is_walled ? "t t 2" : "f f 0"), record->table());
      }
    }
  }
}

TEST_CASE("every reference across the stores leads to a table that there is") {
  CHECK_NOTHROW(cross_store_references(builtin_modules()));
}
