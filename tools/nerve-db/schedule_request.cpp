// SPDX-License-Identifier: Apache-2.0
#include "schedule_request.h"

#include "backup_choice.h"
#include "backup_hooks.h"
#include "backup_key.h"
#include "backup_metrics.h"
#include "backup_repository.h"
#include "backup_stores.h"
#include "backup_text.h"
#include "command.h"
#include "keep_options.h"
#include "store_identities.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/backup.h"
#include "nerve/backups/drill.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace nerve::cli {

namespace {

std::filesystem::path own_program() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) return program;
  throw Error(ErrorKind::failure, "it is not known where nerve-db lies, because /proc cannot be read",
              "Mount /proc.");
}

std::optional<std::filesystem::path> looked_up(const std::string& name) {
  const char* folders = std::getenv("PATH");
  std::string_view rest = folders == nullptr ? std::string_view() : std::string_view(folders);
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const std::filesystem::path program = std::filesystem::path(folder) / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(program, error) && ::access(program.c_str(), X_OK) == 0)
      return program;
  }
  return std::nullopt;
}

/// A service has another PATH and another folder, so the program is looked up now.
std::optional<std::filesystem::path> program_of(const Arguments& arguments, std::string_view option) {
  const auto name = arguments.text(option);
  if (!name) return std::nullopt;
  const bool is_path = name->find('/') != std::string::npos;
  const std::optional<std::filesystem::path> program =
      is_path ? std::filesystem::path(*name) : looked_up(*name);
  std::error_code error;
  if (!program || !std::filesystem::is_regular_file(*program, error)) {
    throw NotFoundError(fmt::format("{} names a program that is not there", option),
                        "Name it by its path, or one that PATH has.");
  }
  if (::access(program->c_str(), X_OK) != 0) {
    throw DeniedError(fmt::format("{} names a program that cannot be executed", option),
                      "Make it executable: chmod +x.");
  }
  return absolute_path(*program);
}

std::optional<std::filesystem::path> path_of(const Arguments& arguments, std::string_view option) {
  const auto name = arguments.text(option);
  if (!name) return std::nullopt;
  return absolute_path(*name);
}

void require_folder_of(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file.parent_path(), error)) return;
  throw NotFoundError(fmt::format("the folder of the metrics, {}, is not there", file.parent_path().string()),
                      "Make it, or name a file in another folder.");
}

/// A service may write to no folder that is not there yet when it starts, so it could not make it.
void require_second_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return;
  throw NotFoundError(
      fmt::format("the second folder for backups, {}, is not there", folder.string()),
      fmt::format("Mount its disk, or make it: mkdir -m 0700 {}.", shell_word(folder.string())));
}

void require_keeping(const Arguments& arguments, const ScheduledBackup& backup) {
  if (backup.keep.empty() || !retention_policy(arguments).is_empty()) return;
  throw ValidationError("nothing says which backups are to be kept",
                        "Add at least one of --keep-last to --keep-yearly.");
}

void require_possible_full(const ScheduledBackup& backup) {
  if (!backup.full_interval || *backup.full_interval >= backup.interval) return;
  throw ValidationError(fmt::format("a full every {} cannot come from a backup every {}",
                                    duration_word(*backup.full_interval), duration_word(backup.interval)),
                        "Give --full a span that is not shorter than that of --every.");
}

/// A service may write to no folder that is not there when it starts.
void add_drill(const Arguments& arguments, ScheduledBackup& backup) {
  backup.drill_interval = arguments.duration("--drill-every");
  backup.drill_scratch = path_of(arguments, "--drill-scratch");
  if (!backup.drill_scratch) return;
  if (!backup.drill_interval) {
    throw ValidationError("--drill-scratch is given without --drill-every",
                          "Say how often a restore is to be tried, or leave it out.");
  }
  std::error_code error;
  if (!std::filesystem::is_directory(*backup.drill_scratch, error)) {
    throw NotFoundError(
        fmt::format("the scratch folder {} is not there", backup.drill_scratch->string()),
        fmt::format("Make it: mkdir -m 0700 {}.", shell_word(backup.drill_scratch->string())));
  }
  backups::require_drill_folder(*backup.drill_scratch);
}

/// A drill of an encrypted backup would fail at night, when nobody is there to name the folder.
void require_scratch(const backups::Repository& repository, const ScheduledBackup& backup,
                     bool is_first_encrypted) {
  if (!backup.drill_interval || backup.drill_scratch) return;
  const bool is_encrypted =
      is_first_encrypted || std::ranges::any_of(backup.stores, [&](const std::filesystem::path& store) {
        return backups::has_encrypted_backup(repository, store);
      });
  if (!is_encrypted) return;
  throw ValidationError(
      "a drill of encrypted backups writes the database to a file, and no folder is named for "
      "that",
      "Name one with --drill-scratch on a device that you trust with its content.");
}

}  // namespace

std::vector<Argument> schedule_options() {
  constexpr std::int64_t minute_s = 60;
  constexpr std::int64_t hour_s = 60 * minute_s;
  constexpr std::int64_t year_s = 366 * 24 * hour_s;
  std::vector<Argument> options{database_option(),
                                repository_option(),
                                {.name = "--every",
                                 .value_name = "SPAN",
                                 .type = ArgumentType::duration,
                                 .description = "make a backup so often: 1m, 15m, 1h, daily",
                                 .choices = {"1m", "15m", "1h", "1d"},
                                 .minimum = minute_s,
                                 .maximum = year_s},
                                {.name = "--full",
                                 .value_name = "SPAN",
                                 .type = ArgumentType::duration,
                                 .description = "make a full so often: hourly, daily, weekly, 12h",
                                 .choices = {"hourly", "daily", "weekly"},
                                 .minimum = hour_s,
                                 .maximum = year_s}};
  options.push_back(also_option());
  options.push_back({.name = "--drill-every",
                     .value_name = "SPAN",
                     .type = ArgumentType::duration,
                     .description = "also try a restore so often: daily, weekly, 30d",
                     .choices = {"daily", "weekly", "30d"},
                     .minimum = hour_s,
                     .maximum = year_s});
  options.push_back({.name = "--drill-scratch",
                     .value_name = "DIR",
                     .type = ArgumentType::folder,
                     .description = "empty folder that it restores to (default: a new one in /tmp)"});
  for (Argument& option : keep_options()) options.push_back(std::move(option));
  for (Argument& option : key_options()) options.push_back(std::move(option));
  for (Argument& option : hook_options()) options.push_back(std::move(option));
  options.push_back(metrics_option());
  options.push_back(
      {.name = "--units",
       .value_name = "DIR",
       .type = ArgumentType::folder,
       .description = "folder of the units (default: ~/.config/systemd/user; /etc/systemd/system for root)"});
  options.push_back({.name = "--replace", .description = "write units anew that are there and differ"});
  options.push_back({.name = "--cron", .description = "write no units, print the line for crontab"});
  options.push_back({.name = "--off", .description = "remove the units that were written, and the promise"});
  return options;
}

void require_alone(const Arguments& arguments, std::string_view subject,
                   const std::set<std::string_view>& allowed) {
  for (const Argument& option : schedule_options()) {
    const bool is_place = option.name == "--db" || option.name == "--repo";
    if (is_place || allowed.contains(option.name) || !arguments.has(option.name)) continue;
    throw ValidationError(fmt::format("{} is given with {}", option.name, subject),
                          "Say how often backups are to be made with --every, or leave it out.");
  }
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal();
}

std::vector<std::filesystem::path> databases_meant(Context& context) {
  std::vector<std::filesystem::path> databases{
      absolute_path(context.database_file(backup_instead_for_postgresql))};
  if (context.is_database_named() || !context.workspace().folder) return databases;
  if (const auto secure = store_file(context, Store::secure)) databases.push_back(absolute_path(*secure));
  return databases;
}

ScheduledBackup scheduled_backup(Context& context, const Arguments& arguments) {
  ScheduledBackup backup;
  backup.database = absolute_path(context.database_file(backup_instead_for_postgresql));
  sqlite::require_database(sqlite::read_file_facts(backup.database));
  backup.repository = absolute_path(context.repository());
  if (!backup.repository.has_filename()) backup.repository = backup.repository.parent_path();
  backup.state_home = state_home();
  backup.state_folder = state_folder();
  backup.program = own_program();
  if (const auto& folder = context.workspace().folder) backup.workspace = absolute_path(*folder);
  const std::vector<StoreFile> stores = stores_together(context);
  require_store_identities(context, stores);
  for (const StoreFile& store : stores) {
    backup.is_of_workspace = true;
    backup.stores.push_back(absolute_path(store.file));
    backup.written_folders.push_back(absolute_path(store.file).parent_path());
  }
  if (!backup.is_of_workspace) backup.stores.push_back(backup.database);
  backup.is_also_named = arguments.has("--also");
  if (const auto folder = second_folder(context, arguments)) {
    backup.also = absolute_path(*folder);
    require_second_folder(*backup.also);
  }
  backup.interval = *arguments.duration("--every");
  backup.full_interval = arguments.duration("--full");
  backup.keep = keep_words(arguments);
  add_drill(arguments, backup);
  names_key(arguments);
  backup.passphrase_file = path_of(arguments, "--passphrase-file");
  backup.key_file = path_of(arguments, "--key-file");
  backup.before = program_of(arguments, "--before");
  backup.after = program_of(arguments, "--after");
  backup.metrics = path_of(arguments, "--metrics");
  if (const std::filesystem::path file = metrics_file(context, arguments); !file.empty()) {
    const std::filesystem::path absolute = absolute_path(file);
    require_folder_of(absolute);
    backup.written_folders.push_back(absolute.parent_path());
  }
  require_keeping(arguments, backup);
  require_possible_full(backup);
  require_writable_words(backup);
  return backup;
}

void require_key_at_hand(const Output& output, const Arguments& arguments,
                         const backups::Repository& repository, const ScheduledBackup& backup) {
  require_scratch(repository, backup, names_key(arguments));
  if (names_key(arguments)) {
    required_key(output, arguments, KeyUse::itself);
    return;
  }
  if (!backups::has_encrypted_backup(repository, backup.database)) return;
  throw ValidationError(
      fmt::format(
          "the backups of {} are encrypted, and nobody can be asked for the passphrase when a timer runs",
          backup.database.string()),
      "Name the file that holds it with --passphrase-file FILE or --key-file FILE.");
}

}  // namespace nerve::cli
