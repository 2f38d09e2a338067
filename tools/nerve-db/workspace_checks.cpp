// SPDX-License-Identifier: Apache-2.0
#include "workspace_checks.h"

#include "backup_stores.h"
#include "scratch_source.h"
#include "store_identities.h"

#include "nerve/backends/sqlite/health.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/migrations/drift.h"
#include "nerve/modules/builtin.h"
#include "nerve/workspace/module_checks.h"
#include "nerve/workspace/workspace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

using health::Check;
using health::Status;
using migrations::Condition;
using OpenWorkspace = nerve::workspace::Workspace;

constexpr std::string_view identity_id = "store.identity";
constexpr std::string_view pending_id = "schema.pending";
constexpr std::string_view drift_id = "schema.drift";

/// Checks whose remedy changes the schema.
constexpr std::array<std::string_view, 5> schema_changing_ids{
    "sqlite.indexes", "sqlite.foreign_key_indexes", "postgresql.unused_indexes",
    "postgresql.duplicate_indexes", "postgresql.foreign_key_indexes"};

Check passing(std::string_view id) {
  Check check;
  check.id = id;
  check.status = Status::ok;
  return check;
}

/// A file that is so damaged that it does not tell is for the checks of the file.
Check check_identity(Context& context, Store store) {
  Check check = passing(identity_id);
  check.value = to_string(store);
  check.threshold = fmt::format("the {} store of this workspace", to_string(store));
  check.message = fmt::format("the {} store is the one that nerve.toml means", to_string(store));
  const auto tell = [&check](const Error& problem) {
    check.status = Status::critical;
    check.value = "another database";
    check.message = problem.what();
    check.fix = problem.hint();
  };
  if (const auto file = store_file(context, store)) {
    const IdentityLook look = look_at_identity(context, {store, *file});
    if (look.problem) tell(*look.problem);
    if (!look.is_known) return health::unknown_check(identity_id, "the file does not tell which store it is");
    return check;
  }
  try {
    context.open_workspace().database(store);
  } catch (const IntegrityError& error) {
    tell(error);
  } catch (const NotFoundError& error) {
    tell(error);
  }
  return check;
}

Check check_pending(OpenWorkspace& workspace, Store store) {
  const migrations::SchemaState state = workspace.schema_state(store);
  Check check = passing(pending_id);
  const std::size_t pending = state.count(Condition::pending) + state.count(Condition::incomplete);
  check.value = fmt::format("{} pending", pending);
  check.threshold = "0 pending";
  check.message = fmt::format("all migrations of the {} store are applied", to_string(store));
  if (pending > 0) {
    check.status = Status::critical;
    check.message = fmt::format("the {} store is behind this program", to_string(store));
    check.fix = "nerve-db migrate up";
  }
  try {
    state.require_sound();
  } catch (const Error& error) {
    check.status = Status::critical;
    check.message = error.what();
    check.fix = error.hint();
  }
  return check;
}

Check check_drift(Context& context, Store store) {
  OpenWorkspace& workspace = context.open_workspace();
  const auto set = builtin_migrations(store);
  const auto scratch = scratch_source(context, parse_database_url(workspace.url(store)), std::nullopt);
  const auto drift = migrations::find_drift(workspace.database(store), set, migrations::Ledger(), scratch);
  Check check = passing(drift_id);
  check.value = fmt::format("{} of {} objects differ", drift.open_count(), drift.compared);
  check.threshold = "0 objects differ";
  check.message = fmt::format("the schema of the {} store is what its migrations make", to_string(store));
  if (!drift.is_known()) {
    check.status = Status::unknown;
    check.value = {};
    check.message =
        fmt::format("the schema of the {} store could not be compared: {}", to_string(store), drift.unknown);
    check.fix = drift.hint;
  } else if (drift.open_count() > 0) {
    check.status = Status::warning;
    check.message = fmt::format("the schema of the {} store was changed by hand", to_string(store));
    check.fix = "nerve-db migrate verify";
  }
  return check;
}

/// Whether a check found that a store is missing or damaged: what others miss there is no fault of its own.
bool is_damage(const Check& check) {
  const auto place = sqlite::place_check_ids();
  return check.status == Status::critical && check.id.starts_with("sqlite.") &&
         std::ranges::find(place, check.id) == place.end();
}

/// The schema of a workspace is what its migrations make, so nobody is told to change it by hand.
void mend_by_migration(health::Report& report) {
  for (Check& check : report.checks) {
    // Of a damaged store that is to be mended first.
    if (check.fix.empty() || check.fix.starts_with("Mend ") ||
        std::ranges::find(schema_changing_ids, check.id) == schema_changing_ids.end())
      continue;
    check.fix =
        "Report it: a migration of the module that has the table must mend it. A change by hand is drift.";
  }
}

}  // namespace

std::vector<std::string_view> workspace_check_ids() {
  std::vector<std::string_view> ids{identity_id, pending_id, drift_id};
  for (const Module* module : builtin_modules()) {
    for (const ModuleCheck& check : module->checks) ids.push_back(check.id);
  }
  return ids;
}

void add_workspace_checks(Context& context, const health::Skipped& skip, health::Report& report) {
  if (context.is_database_named() || !context.config().has("workspace.id")) return;
  OpenWorkspace& workspace = context.open_workspace();
  const bool is_sound = std::ranges::none_of(report.checks, is_damage);
  mend_by_migration(report);
  health::Report made;
  health::Checklist checklist(made, skip);
  for (const Store store : every_store) {
    const auto first = static_cast<std::ptrdiff_t>(made.checks.size());
    checklist.attempt(identity_id, [&] { return check_identity(context, store); });
    checklist.attempt(pending_id, [&] { return check_pending(workspace, store); });
    checklist.attempt(drift_id, [&] { return check_drift(context, store); });
    std::for_each(made.checks.begin() + first, made.checks.end(),
                  [&](Check& check) { check.store = to_string(store); });
  }
  nerve::workspace::add_module_checks(workspace, checklist);
  for (Check& check : made.checks) {
    if (!is_sound && !check.fix.empty() && check.id != identity_id) check.fix = "Mend the databases first.";
    // Neither these checks nor the modules know where the user stands, so the command is made whole here.
    if (check.fix.starts_with("nerve-db "))
      check.fix += " --workspace " + shell_word(workspace.folder().string());
    report.checks.push_back(std::move(check));
  }
}

}  // namespace nerve::cli
