// SPDX-License-Identifier: Apache-2.0
// nerve-db migrate: what its verbs are called and take
#include "command.h"
#include "migrate_commands.h"

namespace nerve::cli {

namespace {

Argument folder_option() {
  return {.name = "--dir",
          .value_name = "DIR",
          .type = ArgumentType::folder,
          .description = "folder of your own migrations: NNNN_name.sql, subfolders are modules"};
}

Argument ledger_option() {
  return {.name = "--ledger",
          .value_name = "NAME",
          .type = ArgumentType::text,
          .description = "table that keeps what was applied (default: schema_migrations)"};
}

Argument target_option(std::string_view description) {
  return {.name = "--to",
          .value_name = "MIGRATION",
          .type = ArgumentType::text,
          .description = std::string(description)};
}

Argument object_option(std::string_view name, std::string_view description) {
  return {.name = name,
          .value_name = "OBJECT",
          .type = ArgumentType::text,
          .description = std::string(description)};
}

Argument scratch_option() {
  return {.name = "--scratch",
          .value_name = "URL",
          .type = ArgumentType::text,
          .description = "empty PostgreSQL database for the replay (default: one is made and dropped)"};
}

/// What every verb that looks at a database takes.
std::vector<Argument> with_common(std::vector<Argument> options) {
  options.insert(options.begin(), {database_option(), folder_option(), ledger_option()});
  return options;
}

/// What every verb that changes a database takes as well.
std::vector<Argument> with_checklist(std::vector<Argument> options) {
  options.push_back({.name = "--dry-run", .description = "show what would be done and change nothing"});
  options.push_back({.name = "--no-backup", .description = "make no backup before (SQLite)"});
  options.push_back(repository_option());
  options.push_back(
      {.name = "--window", .description = "refuse outside of maintenance.windows of nerve.toml"});
  options.push_back({.name = "--wait",
                     .value_name = "SECONDS",
                     .type = ArgumentType::integer,
                     .description = "how long to wait for another migration of this database (default: 60)"});
  return with_common(std::move(options));
}

Command status_verb() {
  return {.name = "status",
          .summary = "show what is applied and what is pending",
          .options = with_common({}),
          .exit_codes =
              "0 up to date, 8 migrations are pending, 6 a file was changed, 4 the history does not fit",
          .example = "nerve-db migrate status --db app.db --dir migrations",
          .run = &run_migrate_status};
}

Command plan_verb() {
  return {.name = "plan",
          .summary = "show the SQL that up or down would run",
          .description =
              "Without a database, shows all migrations of the folder for the engine that --dialect names.",
          .options = with_common({target_option("only this migration and what it stands on"),
                                  {.name = "--down",
                                   .value_name = "COUNT",
                                   .type = ArgumentType::integer,
                                   .description = "show the way back of the last COUNT migrations",
                                   .minimum = 1},
                                  {.name = "--dialect",
                                   .value_name = "ENGINE",
                                   .type = ArgumentType::choice,
                                   .description = "sqlite or postgresql (default: that of the database)",
                                   .choices = {"sqlite", "postgresql"}}}),
          .example = "nerve-db migrate plan --dir migrations --dialect postgresql",
          .run = &run_migrate_plan};
}

Command verify_verb() {
  return {.name = "verify",
          .summary = "compare files, history and schema, and look for dangerous statements",
          .description =
              "Replays the applied migrations into a scratch database and names every object that differs:\n"
              "what was changed by hand. Nothing is changed. Pending migrations are looked through for\n"
              "statements that lose data or block others.",
          .options = with_common({scratch_option()}),
          .exit_codes =
              "0 all fits, 9 the schema differs, 6 a file was changed, 4 the history does not fit,\n"
              "11 it could not be compared",
          .example = "nerve-db migrate verify --db app.db --dir migrations",
          .run = &run_migrate_verify};
}

Command history_verb() {
  return {.name = "history",
          .summary = "show all that was ever done to the schema, newest first",
          .options = with_common({{.name = "--limit",
                                   .value_name = "COUNT",
                                   .type = ArgumentType::integer,
                                   .description = "how many events (default: 50)",
                                   .minimum = 1,
                                   .maximum = 10'000},
                                  {.name = "--before",
                                   .value_name = "NUMBER",
                                   .type = ArgumentType::integer,
                                   .description = "only events before this number, for the next page",
                                   .minimum = 1}}),
          .example = "nerve-db migrate history --db app.db --dir migrations",
          .run = &run_migrate_history};
}

Command up_verb() {
  return {.name = "up",
          .summary = "apply what is pending",
          .description =
              "Checks the health of the database and makes a backup first, applies each migration in a\n"
              "transaction of its own, and checks the health again. What an earlier run left incomplete\n"
              "is finished first. Several runs at once take turns.",
          .options = with_checklist(
              {target_option("only this migration and what it stands on"),
               {.name = "--create", .description = "make the SQLite database where it is missing"}}),
          .example = "nerve-db migrate up --db app.db --dir migrations --create",
          .run = &run_migrate_up};
}

Command down_verb() {
  return {
      .name = "down",
      .summary = "take back the last migration, or several",
      .description = "In reverse order of application. What the way back deletes is gone, so it asks first.",
      .options = with_checklist({{.name = "--steps",
                                  .value_name = "COUNT",
                                  .type = ArgumentType::integer,
                                  .description = "how many (default: 1)",
                                  .minimum = 1},
                                 target_option("all that were applied after this migration"),
                                 {.name = "--yes", .description = "do not ask"}}),
      .example = "nerve-db migrate down --db app.db --dir migrations --steps 1 --yes",
      .run = &run_migrate_down};
}

Command baseline_verb() {
  return {.name = "baseline",
          .summary = "declare the migrations of a database that has their result already",
          .description =
              "With --create, writes what the database holds now as the first migration of the folder, and\n"
              "declares that. What differs from the migrations is shown, and changed by nobody.",
          .options = with_common(
              {target_option("this migration and what it stands on (default: all)"),
               scratch_option(),
               {.name = "--create", .description = "write 0001_baseline.sql into the empty folder"}}),
          .exit_codes = "0 declared, 9 declared, but the schema differs",
          .example = "nerve-db migrate baseline --db app.db --dir migrations --to 0001",
          .run = &run_migrate_baseline};
}

Command repair_verb() {
  return {.name = "repair",
          .summary = "bring the ledger and the files together again",
          .options = with_common(
              {{.name = "--accept",
                .value_name = "MIGRATION",
                .type = ArgumentType::text,
                .description = "take the changed file of an applied migration as the published one"},
               object_option("--adopt", "this object is wanted as it is now (see migrate verify)"),
               object_option("--ignore", "never compare this object"),
               object_option("--compare", "compare it again"),
               scratch_option(),
               {.name = "--reason",
                .value_name = "TEXT",
                .type = ArgumentType::text,
                .description = "why, for the history"}}),
          .example = "nerve-db migrate repair --db app.db --dir migrations --accept 0001",
          .run = &run_migrate_repair};
}

Command new_verb() {
  return {.name = "new",
          .summary = "make the next migration file",
          .operands = {{.name = "NAME",
                        .type = ArgumentType::text,
                        .description = "what it does: add_users",
                        .required = true}},
          .options = {folder_option(),
                      {.name = "--module",
                       .value_name = "NAME",
                       .type = ArgumentType::text,
                       .description = "subfolder of the folder"}},
          .example = "nerve-db migrate new add_users --dir migrations",
          .run = &run_migrate_new};
}

}  // namespace

Command migrate_command() {
  return {.name = "migrate",
          .summary = "bring the schema of a database to the state that its migrations describe",
          .description = "Works on any SQLite or PostgreSQL database with migrations of your own (--dir).",
          .commands = {up_verb(), down_verb(), status_verb(), plan_verb(), verify_verb(), history_verb(),
                       baseline_verb(), repair_verb(), new_verb()},
          .example = "nerve-db migrate status --db app.db --dir migrations"};
}

}  // namespace nerve::cli
