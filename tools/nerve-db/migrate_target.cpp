// SPDX-License-Identifier: Apache-2.0
#include "migrate_target.h"

#include "scratch_source.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/modules/builtin.h"
#include "nerve/workspace/workspace.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>

namespace nerve::cli {

namespace {

using migrations::Ledger;
using migrations::MigrationSet;

Ledger ledger_from(const Arguments& arguments) {
  const auto named = arguments.text("--ledger");
  if (!named) return Ledger();
  try {
    return Ledger(db::Identifier(*named));
  } catch (const ValidationError& error) {
    throw ValidationError("--ledger: " + std::string(error.what()), error.hint());
  }
}

OpenOptions open_options(Context& context, const Arguments& arguments, const DatabaseUrl& url,
                         TargetAccess access) {
  OpenOptions options = context.read_options();
  const bool writes = access == TargetAccess::write;
  options.read_only = !writes;
  options.create = writes && arguments.has("--create");
  // A database that is there keeps its journal mode; one that is made gets the better one.
  std::error_code error;
  options.wal =
      options.create && url.engine == db::Dialect::sqlite && !std::filesystem::exists(url.location, error);
  return options;
}

std::unique_ptr<db::Database> open(const DatabaseUrl& url, const OpenOptions& options) {
  try {
    return open_database(url.engine == db::Dialect::sqlite ? "sqlite:" + url.location : url.location,
                         options);
  } catch (const NotFoundError& error) {
    if (url.engine != db::Dialect::sqlite || options.create) throw;
    throw NotFoundError(error.what(),
                        "Correct the path; `nerve-db migrate up --create` makes a new database.");
  }
}

/// Both stores of the workspace, with the migrations of the modules.
std::vector<MigrationTarget> workspace_targets(Context& context, const Arguments& arguments,
                                               TargetAccess access) {
  if (context.is_database_named() && context.config().has("workspace.id")) {
    const bool is_option = arguments.has("--db");
    throw ValidationError(
        fmt::format("no migrations are named: {} names another database than the workspace's",
                    is_option ? "--db" : "NERVE_DB"),
        is_option
            ? "Add --dir DIR, the folder of your NNNN_name.sql files; or leave --db out."
            : "Unset NERVE_DB, or name the workspace with --workspace, which comes first; or add --dir DIR, "
              "the folder of your NNNN_name.sql files.");
  }
  if (context.is_database_named() || !context.config().has("workspace.id")) {
    throw ValidationError(
        "no migrations are named",
        "Add --dir DIR, the folder of your NNNN_name.sql files; or work in a workspace (nerve-db init).");
  }
  std::vector<MigrationTarget> targets;
  for (const Store store : every_store) {
    context.open_workspace().database(store);  // a file of another workspace is refused
    const DatabaseUrl url = parse_database_url(context.open_workspace().url(store));
    targets.push_back({url, builtin_migrations(store), Ledger(),
                       open(url, open_options(context, arguments, url, access)),
                       scratch_source(context, url, arguments.text("--scratch"))});
  }
  return targets;
}

}  // namespace

std::optional<migrations::Reference> MigrationTarget::reference(
    const std::optional<std::string>& text) const {
  if (!text) return std::nullopt;
  return migrations::Reference::parse(*text, set.default_module());
}

std::vector<MigrationTarget> migration_targets(Context& context, const Arguments& arguments,
                                               TargetAccess access) {
  if (!arguments.has("--dir")) return workspace_targets(context, arguments, access);
  const DatabaseUrl url = context.database();
  const std::array dialects{url.engine};
  // Who only looks needs no statement; whoever plans, compares or writes reads them anyway.
  const migrations::Dialects checked =
      access == TargetAccess::read ? migrations::Dialects{} : migrations::Dialects(dialects);
  std::vector<MigrationTarget> targets;
  targets.push_back({url, MigrationSet::from_folder(*arguments.text("--dir"), checked),
                     ledger_from(arguments), open(url, open_options(context, arguments, url, access)),
                     scratch_source(context, url, arguments.text("--scratch"))});
  return targets;
}

}  // namespace nerve::cli
