// SPDX-License-Identifier: Apache-2.0
// nerve-db migrate up and down
#include "actor.h"
#include "confirm.h"
#include "migrate_commands.h"
#include "migrate_target.h"
#include "migration_checklist.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <functional>

namespace nerve::cli {

namespace {

using migrations::Direction;
using migrations::Migrator;
using migrations::Step;
using migrations::StepResult;

std::string done_line(const StepResult& result) {
  const bool is_up = result.step.direction == Direction::up;
  return fmt::format("{} {} in {}", is_up ? "applied" : "took back", result.step.migration->title(),
                     format_duration(result.duration));
}

Json result_json(const StepResult& result) {
  return {{"migration", result.step.migration->reference.to_string()},
          {"direction", std::string(to_string(result.step.direction))},
          {"statements", result.statements},
          {"duration_us", result.duration.count()}};
}

Json planned_json(const Step& step) {
  return {{"migration", step.migration->reference.to_string()},
          {"direction", std::string(to_string(step.direction))}};
}

void show_dry_run(Output& output, const std::vector<Step>& steps) {
  Json json = Json::array();
  for (const Step& step : steps) {
    json.push_back(planned_json(step));
    if (!output.wants_json()) {
      output.line(fmt::format("would {} {}", step.direction == Direction::up ? "apply" : "take back",
                              step.migration->title()));
    }
  }
  if (output.wants_json()) {
    output.json({{"done", false}, {"steps", std::move(json)}});
  } else {
    output.note(steps.empty() ? "nothing to do" : "nothing was changed");
  }
}

/// What up and down differ in.
struct Change {
  std::function<std::vector<Step>(Migrator&)> plan;
  std::function<std::vector<StepResult>(Migrator&)> run;
};

/// Throws the error of a step again, and says where the steps before it stand.
[[noreturn]] void rethrow_behind(const Error& error, std::size_t done) {
  if (done == 0) throw;
  const std::string before =
      done == 1 ? "The step before it stays done." : fmt::format("The {} steps before it stay done.", done);
  throw Error(error.kind(), error.what(), error.hint().empty() ? before : error.hint() + " " + before);
}

migrations::MigratorOptions migrator_options(Output& output, const Arguments& arguments,
                                             MigrationChecklist& checklist, std::size_t& done) {
  migrations::MigratorOptions options;
  options.actor = current_actor();
  if (const auto seconds = arguments.integer("--wait")) options.runner_wait = std::chrono::seconds(*seconds);
  options.before = [&checklist](const std::vector<Step>& steps) { checklist.before(steps); };
  options.on_step = [&output, &done](const StepResult& result) {
    ++done;
    if (!output.wants_json()) output.line(done_line(result));
  };
  return options;
}

Json change(Context& context, const Arguments& arguments, MigrationTarget& target, const Change& change) {
  Output& output = context.output();
  MigrationChecklist checklist(context, arguments, target);
  std::size_t done = 0;
  Migrator migrator = target.migrator(migrator_options(output, arguments, checklist, done));
  std::vector<StepResult> results;
  try {
    results = change.run(migrator);
    checklist.after(results);
  } catch (const Error& error) {
    checklist.failed(error.what());
    rethrow_behind(error, done);
  }
  if (results.empty()) output.note(fmt::format("{}: nothing to do", target.database->name()));
  Json json = Json::array();
  for (const StepResult& result : results) json.push_back(result_json(result));
  return json;
}

int run_change(Context& context, const Arguments& arguments, std::vector<MigrationTarget>& targets,
               const std::function<Change(const MigrationTarget&)>& change_of) {
  Output& output = context.output();
  Json steps = Json::array();
  for (MigrationTarget& target : targets) {
    for (Json& step : change(context, arguments, target, change_of(target))) steps.push_back(std::move(step));
  }
  if (output.wants_json()) output.json({{"done", true}, {"steps", std::move(steps)}});
  return 0;
}

int dry_run(Context& context, std::vector<MigrationTarget>& targets,
            const std::function<Change(const MigrationTarget&)>& change_of) {
  for (MigrationTarget& target : targets) {
    Migrator migrator = target.migrator();
    show_dry_run(context.output(), change_of(target).plan(migrator));
  }
  return 0;
}

/// A folder without migrations is a wrong one rather than one with nothing to do: with "nothing to do" a
/// deployment would go on with a database that lacks its tables. Looked at before --create makes a database.
void require_migrations(const std::string& folder) {
  if (!migrations::MigrationSet::from_folder(folder, migrations::Dialects{}).in_order().empty()) return;
  throw NotFoundError(fmt::format("the folder {} holds no migration", folder),
                      "Name the folder of your NNNN_name.sql files with --dir, or make the first one with "
                      "`nerve-db migrate new NAME --dir DIR`.");
}

void confirm_way_back(Context& context, const Arguments& arguments, std::vector<MigrationTarget>& targets,
                      const std::function<Change(const MigrationTarget&)>& change_of) {
  if (arguments.has("--yes")) return;
  require_answerable(context.output(), false);
  std::vector<std::string> titles;
  for (MigrationTarget& target : targets) {
    Migrator migrator = target.migrator();
    for (const Step& step : change_of(target).plan(migrator)) titles.push_back(step.migration->title());
  }
  if (titles.empty()) return;
  if (!confirm(context.output(), fmt::format("Take back {}?", fmt::join(titles, ", ")))) {
    throw CancelledError("not confirmed", "Nothing was changed.");
  }
}

}  // namespace

int run_migrate_up(Context& context, const Arguments& arguments) {
  if (const auto folder = arguments.text("--dir")) require_migrations(*folder);
  const bool is_dry = arguments.has("--dry-run");
  std::vector<MigrationTarget> targets =
      migration_targets(context, arguments, is_dry ? TargetAccess::read : TargetAccess::write);
  const auto change_of = [&](const MigrationTarget& target) -> Change {
    const auto reference = target.reference(arguments.text("--to"));
    return {[=](Migrator& migrator) { return migrator.plan_up(reference); },
            [=](Migrator& migrator) { return migrator.up(reference); }};
  };
  return is_dry ? dry_run(context, targets, change_of) : run_change(context, arguments, targets, change_of);
}

int run_migrate_down(Context& context, const Arguments& arguments) {
  const bool is_dry = arguments.has("--dry-run");
  std::vector<MigrationTarget> targets =
      migration_targets(context, arguments, is_dry ? TargetAccess::read : TargetAccess::write);
  const auto change_of = [&](const MigrationTarget& target) -> Change {
    const auto reference = target.reference(arguments.text("--to"));
    const auto all = static_cast<std::int64_t>(target.set.in_order().size());
    const auto count = static_cast<std::size_t>(arguments.integer("--steps").value_or(reference ? all : 1));
    return {[=](Migrator& migrator) { return migrator.plan_down(count, reference); },
            [=](Migrator& migrator) { return migrator.down(count, reference); }};
  };
  if (is_dry) return dry_run(context, targets, change_of);
  confirm_way_back(context, arguments, targets, change_of);
  return run_change(context, arguments, targets, change_of);
}

}  // namespace nerve::cli
