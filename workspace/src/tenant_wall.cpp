// SPDX-License-Identifier: Apache-2.0
#include "tenant_wall.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <string>

namespace nerve::workspace {

namespace {

constexpr std::string_view role_sql =
    "SELECT CAST(rolname AS text), rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = "
    "CURRENT_USER";

constexpr std::string_view wall_sql =
    "SELECT c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT 1 FROM pg_catalog.pg_policy AS p "
    "WHERE p.polrelid = c.oid) FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass(:table)";

void require_held_role(db::Transaction& transaction, const std::string& database, Store store) {
  const auto [role, is_free] = transaction.one<std::string, bool>(role_sql);
  if (!is_free) return;
  throw DeniedError(
      fmt::format(
          "the role {} of {} is held by no policy: a superuser or one with BYPASSRLS sees the rows of "
          "every tenant",
          role, database),
      fmt::format("Connect as the owner of the database or, better, as the application role that `nerve-db "
                  "roles sql --store {}` makes.",
                  to_string(store)));
}

}  // namespace

void require_tenant_wall(db::Database& database, std::span<const Module* const> modules, Store store) {
  if (database.dialect() == db::Dialect::sqlite) return;
  database.read([&](db::Transaction& transaction) {
    require_held_role(transaction, database.name(), store);
    for (const Module* module : modules) {
      if (!is_in(module->placement, store)) continue;
      for (const RecordType* record : module->records) {
        if (!record->is_tenant_owned() && !record->facts().is_tenant) continue;
        if (transaction.maybe<bool>(wall_sql, {{"table", record->table()}}).value_or(false)) continue;
        throw IntegrityError(
            fmt::format("no wall stands between the tenants in the table {} of {}", record->table(),
                        database.name()),
            "Its row-level security was taken away: `nerve-db migrate verify` shows what was changed.");
      }
    }
  });
}

}  // namespace nerve::workspace
