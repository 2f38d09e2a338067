// SPDX-License-Identifier: Apache-2.0
// nerve-db roles sql
#include "command.h"
#include "context.h"

#include "nerve/core/error.h"
#include "nerve/workspace/roles.h"

#include <fmt/format.h>

#include <string>

namespace nerve::cli {

namespace {

/// Asked of the server, because a URL may leave the name to the service or the user.
std::string database_of(Context& context, Store store) {
  if (!context.workspace().folder) {
    throw ValidationError("no database is named", "Add --database NAME, or name a workspace.");
  }
  db::Database& database = context.open_workspace().database(store);
  if (database.dialect() != db::Dialect::postgresql) {
    throw UnsupportedError(fmt::format("{} has no roles: it is a file", database.name()),
                           "Its rights are those of the file; for a server add --database NAME.");
  }
  return database.read_catalogue(
      [](db::Transaction& transaction) { return transaction.one<std::string>("SELECT current_database()"); });
}

int run_sql(Context& context, const Arguments& arguments) {
  const Store store = arguments.text("--store") == "secure" ? Store::secure : Store::core;
  const auto named = arguments.text("--database");
  const std::string database = named ? *named : database_of(context, store);
  context.output().text(nerve::workspace::role_statements(builtin_modules(), store, database));
  return 0;
}

}  // namespace

Command roles_command() {
  return {.name = "roles",
          .summary = "print what a PostgreSQL administrator has to run",
          .commands =
              {{.name = "sql",
                .summary = "print the SQL that makes the least-privilege roles of a store",
                .description =
                    "Three roles: the owner, who migrates; the application, which may do with each table\n"
                    "what it has to; the auditor, who only reads. It holds no password. Run it in the\n"
                    "store's database as a superuser, and again after each migration.",
                .options = {{.name = "--store",
                             .value_name = "STORE",
                             .type = ArgumentType::choice,
                             .description = "core or secure (default: core)",
                             .choices = {"core", "secure"}},
                            {.name = "--database",
                             .value_name = "NAME",
                             .type = ArgumentType::text,
                             .description = "name of its database (default: the workspace's)"}},
                .example = "nerve-db roles sql --store secure --database nerve_secure",
                .run = &run_sql}},
          .example = "nerve-db roles sql --database nerve"};
}

}  // namespace nerve::cli
