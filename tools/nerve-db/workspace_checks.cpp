// SPDX-License-Identifier: Apache-2.0
#include "workspace_checks.h"

#include "scratch_source.h"

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

/// The schema of a workspace is what its migrations make, so nobody is told to change it by hand.
void mend_by_migration(health::Report& report) {
  for (Check& check : report.checks) {
    if (check.fix.empty() || std::ranges::find(schema_changing_ids, check.id) == schema_changing_ids.end())
      continue;
    check.fix =
        "Report it: a migration of the module that has the table must mend it. A change by hand is drift.";
  }
}

}  // namespace

std::vector<std::string_view> workspace_check_ids() {
  std::vector<std::string_view> ids{pending_id, drift_id};
  for (const Module* module : builtin_modules()) {
    for (const ModuleCheck& check : module->checks) ids.push_back(check.id);
  }
  return ids;
}

void add_workspace_checks(Context& context, const health::Skipped& skip, health::Report& report) {
  if (context.is_database_named() || !context.config().has("workspace.id")) return;
  OpenWorkspace& workspace = context.open_workspace();
  mend_by_migration(report);
  health::Report made;
  health::Checklist checklist(made, skip);
  for (const Store store : every_store) {
    const auto first = static_cast<std::ptrdiff_t>(made.checks.size());
    checklist.attempt(pending_id, [&] { return check_pending(workspace, store); });
    checklist.attempt(drift_id, [&] { return check_drift(context, store); });
    std::for_each(made.checks.begin() + first, made.checks.end(),
                  [&](Check& check) { check.store = to_string(store); });
  }
  nerve::workspace::add_module_checks(workspace, checklist);
  for (Check& check : made.checks) {
    // Neither these checks nor the modules know where the user stands, so the command is made whole here.
    if (check.fix.starts_with("nerve-db "))
      check.fix += " --workspace " + shell_word(workspace.folder().string());
    report.checks.push_back(std::move(check));
  }
}

}  // namespace nerve::cli
