// SPDX-License-Identifier: Apache-2.0
// nerve-db init
#include "actor.h"
#include "command.h"
#include "context.h"

#include "nerve/core/json.h"
#include "nerve/core/shell.h"
#include "nerve/workspace/initialize.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace nerve::cli {

namespace {

bool is_open_to_others(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::perms mode = fs::status(folder, error).permissions();
  return !error && (mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none;
}

int run_init(Context& context, const Arguments& arguments) {
  nerve::workspace::NewWorkspace wanted;
  wanted.folder = arguments.text("DIR").value_or(arguments.text("--workspace").value_or("."));
  wanted.core_url = arguments.text("--core").value_or("");
  wanted.secure_url = arguments.text("--secure").value_or("");
  wanted.actor = current_actor();
  const nerve::workspace::Initialized made = nerve::workspace::initialize(wanted);
  Output& output = context.output();
  if (output.wants_json()) {
    output.json({{"folder", made.folder.string()},
                 {"workspace_id", made.id.to_string()},
                 {"resumed", made.was_resumed},
                 {"migrations_applied", made.migrations_applied}});
    return 0;
  }
  output.note(
      fmt::format("{} the workspace in {}", made.was_resumed ? "completed" : "made", made.folder.string()));
  if (is_open_to_others(made.folder)) {
    output.warning(
        fmt::format("others may look into the folder; run: chmod 700 {}", shell_word(made.folder.string())));
  }
  output.line(made.id.to_string());
  return 0;
}

}  // namespace

Command init_command() {
  return {.name = "init",
          .summary = "make a workspace: a folder with its settings and its two stores",
          .description =
              "Makes nerve.db, nerve-secure.db, the folder backups and at last nerve.toml, and prints the\n"
              "id of the workspace. Nothing that exists is overwritten. Cut off at any point, the same\n"
              "command completes it.",
          .operands = {{.name = "DIR",
                        .type = ArgumentType::folder,
                        .description = "folder to make it in (default: the working folder)"}},
          .options = {{.name = "--core",
                       .value_name = "URL",
                       .type = ArgumentType::database,
                       .description = "empty database of the core store, instead of nerve.db"},
                      {.name = "--secure",
                       .value_name = "URL",
                       .type = ArgumentType::database,
                       .description = "empty database of the secure store, instead of nerve-secure.db"}},
          .example = "nerve-db init security",
          .run = &run_init};
}

}  // namespace nerve::cli
