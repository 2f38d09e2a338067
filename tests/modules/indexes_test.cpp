// SPDX-License-Identifier: Apache-2.0
// What health looks for in a schema, asked of the one that the migrations make: nobody can mend that by hand.
#include "modules/migrated_store.h"

#include "nerve/backends/postgresql/health.h"
#include "nerve/backends/sqlite/health.h"
#include "nerve/health/report.h"

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>

using namespace nerve;
using test::MigratedStore;

namespace {

/// Every check but one.
health::Skipped all_but(std::string_view wanted, std::span<const std::string_view> ids) {
  health::Skipped skip(ids.begin(), ids.end());
  REQUIRE(skip.erase(std::string(wanted)) == 1);
  return skip;
}

health::Report foreign_key_report(MigratedStore<test::Sqlite>& migrated) {
  sqlite::HealthOptions options;
  options.skip = all_but("sqlite.foreign_key_indexes", sqlite::health_check_ids());
  return sqlite::check_health(migrated.url().substr(std::string_view("sqlite:").size()), options);
}

health::Report foreign_key_report(MigratedStore<test::Postgresql>& migrated) {
  postgresql::HealthOptions options;
  options.skip = all_but("postgresql.foreign_key_indexes", postgresql::health_check_ids());
  return postgresql::check_health(migrated.database(), options);
}

}  // namespace

CONFORMANCE_TEST("an index begins with the columns of every foreign key") {
  if (Engine::is_waived()) return;
  for (const Store store : every_store) {
    MigratedStore<Engine> migrated(store);
    const health::Report report = foreign_key_report(migrated);
    REQUIRE(report.checks.size() == 1);
    CHECK_MESSAGE(report.checks[0].status == health::Status::ok, report.checks[0].message);
  }
}
