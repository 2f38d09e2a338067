// SPDX-License-Identifier: Apache-2.0
// nerve-db backup schedule
#include "backup_choice.h"
#include "backup_commands.h"
#include "backup_repository.h"
#include "context.h"
#include "crontab_line.h"
#include "schedule_request.h"
#include "unit_folder.h"

#include "nerve/backups/schedule.h"
#include "nerve/core/clock.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

using backups::Promise;
using backups::Repository;
using backups::Starter;

std::string promise_text(const Promise& promise) {
  std::string text =
      fmt::format("a backup of {} every {}", promise.database, format_duration(promise.interval));
  if (promise.full_interval)
    text += fmt::format(", a full every {}", format_duration(*promise.full_interval));
  return text;
}

Json promise_json(const Promise& promise, const Repository& repository) {
  return {{"database", promise.database},
          {"repository", backups::source_name(repository.path())},
          {"interval_s", promise.interval.count()},
          {"full_interval_s", promise.full_interval ? Json(promise.full_interval->count()) : Json(nullptr)},
          {"since", promise.since.to_text()},
          {"starter", to_string(promise.starter)},
          {"unit", promise.unit.empty() ? Json(nullptr) : Json(promise.unit)}};
}

std::string service_of(const std::string& timer) {
  return timer.substr(0, timer.rfind('.')) + ".service";
}

/// The promise as it stands in the repository now: one that says the same as before keeps its time. The other
/// store of a workspace has the same.
Promise keep_promise(const Repository& repository, const ScheduledBackup& backup, Starter starter,
                     const std::string& unit) {
  for (const std::filesystem::path& store : backup.stores) {
    backups::record_promise(repository, {.database = backups::source_name(store),
                                         .interval = backup.interval,
                                         .full_interval = backup.full_interval,
                                         .since = system_clock().now(),
                                         .starter = starter,
                                         .unit = unit});
  }
  return *backups::promise_of(repository, backup.database);
}

/// The options by which another command means the same database, or workspace, and repository.
std::string place_options(Context& context, const std::filesystem::path& database) {
  const auto& workspace = context.workspace().folder;
  const bool is_of_workspace = !context.is_database_named() && workspace;
  return fmt::format("{} {} --repo {}", is_of_workspace ? "--workspace" : "--db",
                     shell_word(absolute_path(is_of_workspace ? *workspace : database).string()),
                     shell_word(absolute_path(context.repository_folder()).string()));
}

/// The command that takes a schedule away, as the end of a sentence.
std::string off_command(Context& context, const std::filesystem::path& database) {
  std::string command = "nerve-db backup schedule --off " + place_options(context, database);
  try {
    if (UnitFolder::open(std::nullopt).existing_name(database)) return command;
  } catch (const Error&) {
    // No folder is known that would be looked into without --units.
  }
  return command + " --units DIR, where DIR is the folder that the units were written to";
}

/// What the user does with systemd: nothing of it is done here.
struct NextSteps {
  std::string start;   ///< makes systemd read the units, and starts the timer
  std::string once;    ///< makes a backup now
  std::string linger;  ///< of a user: lets it run when nobody is logged in
};

NextSteps steps_for(const UnitFolder& folder, const std::string& name) {
  const std::string systemctl = folder.systemctl();
  NextSteps steps;
  if (!folder.is_searched()) {
    steps.start = fmt::format("{} link {} {} && ", systemctl, shell_word(folder.service(name).string()),
                              shell_word(folder.timer(name).string()));
  }
  steps.start +=
      fmt::format("{0} daemon-reload && {0} enable --now {1}", systemctl, shell_word(name + ".timer"));
  steps.once = fmt::format("{} start {}", systemctl, shell_word(name + ".service"));
  if (folder.is_of_user()) steps.linger = "loginctl enable-linger";
  return steps;
}

void write_units(Context& context, const Arguments& arguments, const Repository& repository,
                 const ScheduledBackup& backup) {
  Output& output = context.output();
  const UnitFolder folder = UnitFolder::open(arguments.text("--units"));
  const UnitTexts texts = unit_texts(backup);
  const std::string name = folder.name_for(backup.database);
  const std::array<std::pair<std::filesystem::path, std::string>, 2> units = {
      {{folder.service(name), texts.service}, {folder.timer(name), texts.timer}}};
  // All is looked at before anything is written.
  const bool may_replace = arguments.has("--replace");
  const std::array<UnitChange, 2> changes = {unit_change(units[0].first, units[0].second, may_replace),
                                             unit_change(units[1].first, units[1].second, may_replace)};
  const auto before = backups::promise_of(repository, backup.database);
  if (before && before->starter == Starter::cron) {
    output.warning("cron was to make these backups: remove its line, by crontab -e");
  }
  for (const auto& [file, text] : units) write_unit(file, text);
  const Promise promise = keep_promise(
      repository, backup, folder.is_of_user() ? Starter::user_timer : Starter::system_timer, name + ".timer");
  const NextSteps steps = steps_for(folder, name);
  if (output.wants_json()) {
    Json document = promise_json(promise, repository);
    document["files"] = Json::array();
    for (std::size_t index = 0; index < units.size(); ++index) {
      document["files"].push_back(
          {{"path", units[index].first.string()}, {"state", to_string(changes[index])}});
    }
    document["start"] = steps.start;
    document["once"] = steps.once;
    document["linger"] = steps.linger.empty() ? Json(nullptr) : Json(steps.linger);
    output.json(document);
    return;
  }
  for (std::size_t index = 0; index < units.size(); ++index) {
    output.line(fmt::format("{}: {}", to_string(changes[index]), units[index].first.string()));
  }
  output.line("promised: " + promise_text(promise));
  output.line("start it: " + steps.start);
  output.line("try it now: " + steps.once);
  if (!steps.linger.empty()) output.line("let it run when you are not logged in: " + steps.linger);
}

void print_crontab(Context& context, const Repository& repository, const ScheduledBackup& backup) {
  const auto before = backups::promise_of(repository, backup.database);
  if (before && before->starter != Starter::cron) {
    throw ConflictError(fmt::format("{} is backed up by {} already", before->database, before->unit),
                        fmt::format("Take that away first: {}.", off_command(context, backup.database)));
  }
  const std::string line = crontab_line(backup);
  const Promise promise = keep_promise(repository, backup, Starter::cron, "");
  Output& output = context.output();
  if (output.wants_json()) {
    Json document = promise_json(promise, repository);
    document["crontab"] = line;
    output.json(document);
    return;
  }
  output.note(fmt::format("promised: {}; add this line by crontab -e", promise_text(promise)));
  output.line(line);
}

/// systemd lets a service write to what is there when it starts. Where the folder cannot be made, nothing is
/// kept.
void make_state_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error)) return;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
}

int make_schedule(Context& context, const Arguments& arguments) {
  if (arguments.has("--cron") && (arguments.has("--units") || arguments.has("--replace"))) {
    throw ValidationError("--cron writes no units, and an option for them is given",
                          "Leave --units and --replace out, or --cron.");
  }
  const ScheduledBackup backup = scheduled_backup(context, arguments);
  const Repository repository = Repository::open_or_create(backup.repository);
  make_state_folder(backup.state_folder);
  require_key_at_hand(context.output(), arguments, repository, backup);
  if (arguments.has("--cron")) {
    print_crontab(context, repository, backup);
  } else {
    write_units(context, arguments, repository, backup);
  }
  return 0;
}

void remove_unit(const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::remove(file, error);
  if (error) {
    throw DeniedError(fmt::format("cannot remove {}: {}", file.string(), error.message()),
                      "Run it as the user who wrote it.");
  }
}

/// The files that went. Throws ConflictError while systemd would still look for them.
std::vector<std::string> remove_units(const UnitFolder& folder, const std::string& name,
                                      const std::filesystem::path& database) {
  if (folder.is_enabled(name)) {
    throw ConflictError(
        fmt::format("{}.timer is enabled still", name),
        fmt::format("First run: {} disable --now {}", folder.systemctl(), shell_word(name + ".timer")));
  }
  std::vector<std::string> removed;
  const std::string marker = unit_marker(database);
  for (const std::filesystem::path& file : {folder.timer(name), folder.service(name)}) {
    if (!is_marked(file, marker)) continue;
    remove_unit(file);
    removed.push_back(file.string());
  }
  return removed;
}

int end_schedule(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const std::vector<std::filesystem::path> databases = databases_meant(context);
  const std::filesystem::path& database = databases.front();
  const UnitFolder folder = UnitFolder::open(arguments.text("--units"));
  const Repository repository = Repository::open_or_create(context.repository());
  const std::optional<Promise> promise = backups::promise_of(repository, database);
  const std::optional<std::string> name = folder.existing_name(database);
  if (!promise && !name) {
    throw NotFoundError(fmt::format("no backups of {} are scheduled", database.string()),
                        fmt::format("See what is promised: nerve-db backup schedule {}. Units in another "
                                    "folder are named by --units.",
                                    place_options(context, database)));
  }
  std::vector<std::string> removed;
  if (name) removed = remove_units(folder, *name, database);
  if (promise) {
    for (const std::filesystem::path& one : databases) backups::withdraw_promise(repository, one);
  }
  if (promise && promise->starter != Starter::cron && !name) {
    output.warning(fmt::format("{} holds no units of {}, so only the promise was withdrawn",
                               folder.path().string(), database.string()));
  }
  // A timer that was started without being enabled goes on after its file is gone.
  const std::string then =
      name ? fmt::format("{0} stop {1}; {0} daemon-reload", folder.systemctl(), shell_word(*name + ".timer"))
           : std::string();
  if (output.wants_json()) {
    output.json({{"removed", removed},
                 {"withdrawn", promise.has_value()},
                 {"then", then.empty() ? Json(nullptr) : Json(then)}});
    return 0;
  }
  for (const std::string& file : removed) output.line("removed: " + file);
  if (promise) output.line("withdrawn: " + promise_text(*promise));
  if (!then.empty()) output.line("then run: " + then);
  if (promise && promise->starter == Starter::cron) output.line("then remove its line: crontab -e");
  return 0;
}

std::string_view keeping_text(backups::Keeping keeping) {
  switch (keeping) {
    case backups::Keeping::kept:
      return "kept";
    case backups::Keeping::late:
      return "late";
    case backups::Keeping::broken:
      return "broken";
  }
  return "broken";
}

Json state_json(const backups::PromiseState& state) {
  return {{"keeping", keeping_text(state.keeping)},
          {"newest", state.newest ? Json(state.newest->id.to_string()) : Json(nullptr)},
          {"age_s", std::chrono::duration_cast<std::chrono::seconds>(state.age).count()},
          {"next_due", state.next_due.to_text()},
          {"full_due", state.full_due ? Json(state.full_due->to_text()) : Json(nullptr)}};
}

/// What became of the promise of one database.
std::vector<std::pair<std::string, TableCell>> state_pairs(const Output& output,
                                                           const backups::PromiseState& state) {
  std::vector<std::pair<std::string, TableCell>> pairs = {
      {"kept",
       {std::string(keeping_text(state.keeping)),
        state.keeping == backups::Keeping::kept ? Style::good : Style::warning}},
      {"newest backup", state.newest ? fmt::format("{} of {}", state.newest->id.short_text(),
                                                   output.time(state.newest->created_at))
                                     : std::string("none yet")},
      {"next due", output.time(state.next_due)}};
  if (state.full_due) pairs.emplace_back("next full due", output.time(*state.full_due));
  return pairs;
}

int show_schedule(Context& context) {
  Output& output = context.output();
  const std::vector<std::filesystem::path> databases = databases_meant(context);
  const std::filesystem::path& database = databases.front();
  const Repository repository = open_repository_at(context.repository());
  const std::optional<Promise> promise = backups::promise_of(repository, database);
  if (!promise) {
    throw NotFoundError(fmt::format("no backups of {} are promised", database.string()),
                        fmt::format("Promise them: nerve-db backup schedule --every 1h {}.",
                                    place_options(context, database)));
  }
  const std::vector<backups::Entry> entries = repository.list();
  const backups::PromiseState state = backups::state_of(*promise, entries, system_clock());
  std::optional<backups::PromiseState> secure_state;
  if (const auto secure =
          databases.size() > 1 ? backups::promise_of(repository, databases.back()) : std::nullopt) {
    secure_state = backups::state_of(*secure, entries, system_clock());
  }
  if (output.wants_json()) {
    Json document = promise_json(*promise, repository);
    document.update(state_json(state));
    if (secure_state) {
      document["secure_store"] = state_json(*secure_state);
      document["secure_store"]["database"] = backups::source_name(databases.back());
    }
    output.json(document);
    return 0;
  }
  std::vector<std::pair<std::string, TableCell>> pairs = {
      {"promised", promise_text(*promise)},
      {"since", output.time(promise->since)},
      {"started by", promise->unit.empty() ? "cron" : promise->unit}};
  for (auto& pair : state_pairs(output, state)) pairs.push_back(std::move(pair));
  if (secure_state) {
    for (auto& [name, cell] : state_pairs(output, *secure_state))
      pairs.emplace_back("secure store, " + name, cell);
  }
  if (!promise->unit.empty()) {
    const std::string systemctl = promise->starter == Starter::user_timer ? "systemctl --user" : "systemctl";
    pairs.emplace_back("look at it", fmt::format("{} status {} {}", systemctl, shell_word(promise->unit),
                                                 shell_word(service_of(promise->unit))));
  }
  output.key_values(pairs);
  return 0;
}

int run_schedule(Context& context, const Arguments& arguments) {
  if (arguments.has("--off")) {
    require_alone(arguments, "--off", {"--off", "--units"});
    return end_schedule(context, arguments);
  }
  if (arguments.has("--every")) return make_schedule(context, arguments);
  require_alone(arguments, "no --every", {});
  return show_schedule(context);
}

}  // namespace

Command schedule_command() {
  return {
      .name = "schedule",
      .summary = "have backups made from time to time, and promise them to health",
      .description =
          "Writes a service and a timer of systemd and prints the command that starts them; --cron prints\n"
          "a line for crontab instead. The repository keeps the promise, and health warns when it is\n"
          "missed. Without --every it shows what is promised. A key comes from a file, which the service\n"
          "gets as a credential of systemd.",
      .options = schedule_options(),
      .example = "nerve-db backup schedule --every 15m --full daily --units . --db chinook.sqlite",
      .run = &run_schedule};
}

}  // namespace nerve::cli
