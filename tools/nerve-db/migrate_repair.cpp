// SPDX-License-Identifier: Apache-2.0
// nerve-db migrate baseline and repair
#include "actor.h"
#include "exit_codes.h"
#include "migrate_commands.h"
#include "migrate_target.h"
#include "new_file.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/migrations/drift.h"
#include "nerve/migrations/schema_export.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <filesystem>
#include <optional>
#include <system_error>

namespace nerve::cli {

namespace {

using migrations::Action;
using migrations::DriftReport;
using migrations::Migrator;

Migrator migrator_of(MigrationTarget& target) {
  migrations::MigratorOptions options;
  options.actor = current_actor();
  return target.migrator(std::move(options));
}

/// Writes what the database holds as the first migration of the folder.
void write_baseline(Context& context, const std::filesystem::path& folder) {
  const DatabaseUrl url = context.database();
  const bool is_file = url.engine == db::Dialect::sqlite;
  const auto database = context.open_for_reading(is_file ? "sqlite:" + url.location : url.location);
  const auto catalogue =
      database->read([](db::Transaction& transaction) { return migrations::read_catalogue(transaction); });
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::array dialects{url.engine};
  if (!migrations::MigrationSet::from_folder(folder, dialects).in_order().empty()) {
    throw ConflictError(fmt::format("the folder {} holds migrations already", folder.string()),
                        "Leave --create out to declare them, or name an empty folder.");
  }
  const std::string name = is_file ? std::filesystem::path(url.location).filename().string() : "the database";
  const std::filesystem::path file = folder / "0001_baseline.sql";
  make_new_file(file, migrations::to_baseline_migration(catalogue, name));
  context.output().note("wrote " + file.string());
}

/// What --adopt, --ignore or --compare decides.
struct Decision {
  Action action;
  std::string object;
};

std::optional<Decision> decision_from(const Arguments& arguments) {
  if (auto object = arguments.text("--adopt")) return Decision{Action::adopt, *object};
  if (auto object = arguments.text("--ignore")) return Decision{Action::ignore, *object};
  if (auto object = arguments.text("--compare")) return Decision{Action::compare, *object};
  return std::nullopt;
}

void decide(MigrationTarget& target, const Decision& decision, const std::string& reason) {
  const DriftReport drift = target.find_drift();
  const migrations::Difference* found = drift.find(decision.object);
  if (decision.action == Action::adopt && found == nullptr) {
    throw NotFoundError(
        fmt::format("no difference of \"{}\" is known", decision.object),
        "`nerve-db migrate verify` names the objects that differ: table users, index users_email.");
  }
  migrator_of(target).record_decision(decision.action, decision.object,
                                      found == nullptr ? std::string() : found->fingerprint, reason);
}

}  // namespace

int run_migrate_baseline(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  if (arguments.has("--create")) {
    const auto folder = arguments.text("--dir");
    if (!folder)
      throw ValidationError("--create needs a folder", "Add --dir DIR, where the migrations will be.");
    write_baseline(context, *folder);
  }
  Json declared = Json::array();
  std::size_t differing = 0;
  for (MigrationTarget& target : migration_targets(context, arguments, TargetAccess::write)) {
    for (const auto& reference : migrator_of(target).baseline(target.reference(arguments.text("--to")))) {
      declared.push_back(reference.to_string());
      if (!output.wants_json()) output.line("declared " + reference.to_string());
    }
    differing += target.find_drift().open_count();
  }
  if (output.wants_json()) output.json({{"declared", std::move(declared)}, {"differences", differing}});
  if (differing == 0) return 0;
  output.warning(fmt::format(
      "{} objects are not what these migrations make; nerve-db migrate verify names them", differing));
  return static_cast<int>(ExitCode::drift);
}

int run_migrate_repair(Context& context, const Arguments& arguments) {
  const auto accepted = arguments.text("--accept");
  const auto decision = decision_from(arguments);
  if (accepted.has_value() == decision.has_value()) {
    throw ValidationError(
        accepted ? "two repairs at once" : "nothing to repair is named",
        "Add one of --accept MIGRATION, --adopt OBJECT, --ignore OBJECT and --compare OBJECT.");
  }
  Output& output = context.output();
  for (MigrationTarget& target : migration_targets(context, arguments, TargetAccess::write)) {
    std::string subject;
    if (accepted) {
      const auto reference = *target.reference(accepted);
      migrator_of(target).accept_change(reference);
      subject = reference.to_string();
    } else {
      decide(target, *decision, arguments.text("--reason").value_or(""));
      subject = decision->object;
    }
    if (output.wants_json()) {
      output.json({{"repaired", subject}});
    } else {
      output.line("noted: " + subject);
    }
  }
  return 0;
}

}  // namespace nerve::cli
