// SPDX-License-Identifier: Apache-2.0
#include "command.h"

#include "nerve/module.h"
#include "nerve/modules/builtin.h"

#include <array>
#include <utility>

namespace nerve::cli {

namespace {

/// Those of the program, then those of its modules.
std::vector<Command> all_commands() {
  std::vector<Command> commands{
      health_command(),   backup_command(),  restore_command(),  salvage_command(),
      convert_command(),  migrate_command(), schema_command(),   stats_command(),
      optimize_command(), queries_command(), validate_command(), completions_command(),
      init_command(),     status_command(),  roles_command(),    module_command()};
  for (const Module* module : builtin_modules()) {
    if (module->commands == nullptr) continue;
    for (Command& command : module->commands()) commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace

std::span<const Argument> global_options() {
  static const std::array options = {
      Argument{.name = "--workspace",
               .value_name = "DIR",
               .type = ArgumentType::folder,
               .description =
                   "folder with nerve.toml (default: NERVE_WORKSPACE, then this folder and its parents)"},
      Argument{.name = "--json", .description = "data and errors as JSON"},
      Argument{.name = "--quiet", .description = "no notes and no progress; errors are still shown"},
      Argument{.name = "--utc", .description = "times in UTC instead of local time"},
      Argument{.name = "--color",
               .value_name = "WHEN",
               .type = ArgumentType::choice,
               .description = "auto, always or never (default: auto)",
               .choices = {"auto", "always", "never"}},
      Argument{.name = "--version", .description = "show the version"},
      Argument{.name = "--help", .description = "show this help"},
  };
  return options;
}

const Command& root_command() {
  static const Command root = {
      .name = "nerve-db",
      .summary = "keeps databases healthy, backed up and restorable",
      .description =
          "Checks, measures, backs up and restores any SQLite database, and measures PostgreSQL.\n"
          "Data goes to standard output, everything else to standard error.",
      .commands = all_commands(),
      .example = "nerve-db health --db chinook.sqlite"};
  return root;
}

Argument database_option() {
  return {.name = "--db",
          .value_name = "URL",
          .type = ArgumentType::database,
          .description =
              "database: a path, sqlite:PATH or postgresql://[user@]host/name\n"
              "(default: NERVE_DB unless --workspace is given, then database.url of the\n"
              "workspace, then its nerve.db)"};
}

Argument repository_option() {
  return {.name = "--repo",
          .value_name = "DIR",
          .type = ArgumentType::folder,
          .description =
              "folder of the backups (default: NERVE_REPO unless --workspace is given, then\n"
              "backup.repository of the workspace, then FILE.backups beside the database)"};
}

}  // namespace nerve::cli
