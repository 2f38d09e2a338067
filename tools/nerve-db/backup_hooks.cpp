// SPDX-License-Identifier: Apache-2.0
#include "backup_hooks.h"

#include "child_program.h"
#include "context.h"

#include "nerve/arguments.h"
#include "nerve/core/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>

namespace nerve::cli {

namespace {

std::vector<std::string> command_of(const Config& config, const Arguments& arguments, std::string_view option,
                                    std::string_view setting) {
  if (const auto program = arguments.text(option)) return {*program};
  std::vector<std::string> command = config.text_list(setting);
  if (!command.empty() && command.front().find('/') != std::string::npos) {
    command.front() = (config.file().parent_path() / command.front()).string();
  }
  return command;
}

std::string absolute_text(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

ProgramCall call_for(const std::vector<std::string>& command, const BackupOccasion& occasion, bool is_heard,
                     std::chrono::seconds time_limit) {
  return {.command = command,
          .variables = {{"NERVE_BACKUP_DATABASE", absolute_text(occasion.database)},
                        {"NERVE_BACKUP_REPOSITORY", absolute_text(occasion.repository)}},
          .time_limit = time_limit,
          .is_heard = is_heard};
}

std::string result_of(const BackupOccasion& occasion) {
  return occasion.is_good() ? "ok" : "failed";
}

std::string document_of(const BackupOccasion& occasion) {
  Json document = {{"result", result_of(occasion)},
                   {"exit", occasion.exit_code},
                   {"database", absolute_text(occasion.database)},
                   {"repository", absolute_text(occasion.repository)},
                   {"begun_at", occasion.begun_at.to_text()},
                   {"manifest", nullptr},
                   {"error", nullptr}};
  if (occasion.manifest) document["manifest"] = occasion.manifest->to_json();
  if (occasion.error) {
    document["error"] = {{"kind", to_string(occasion.error->kind())},
                         {"message", occasion.error->what()},
                         {"hint", occasion.error->hint()}};
  }
  constexpr int one_line = -1;
  return document.dump(one_line, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::vector<Argument> hook_options() {
  return {{.name = "--before",
           .value_name = "PROGRAM",
           .type = ArgumentType::file,
           .description = "run it first; where it fails, no backup is made (default: backup.before)"},
          {.name = "--after",
           .value_name = "PROGRAM",
           .type = ArgumentType::file,
           .description = "run it last, whatever happened, and tell it what (default: backup.after)"}};
}

BackupHooks::BackupHooks(Context& context, const Arguments& arguments) : output_(context.output()) {
  const Config& config = context.settings_for_copying();
  before_ = command_of(config, arguments, "--before", "backup.before");
  after_ = command_of(config, arguments, "--after", "backup.after");
  time_limit_ = std::chrono::seconds(config.integer("backup.hook_timeout_s"));
}

void BackupHooks::run_before(const BackupOccasion& occasion) const {
  if (before_.empty()) return;
  const ProgramEnd end = run_program(call_for(before_, occasion, !output_.wants_json(), time_limit_));
  if (end.is_good()) return;
  const std::string message = fmt::format("no backup was made: the program before it, {}, {}",
                                          before_.front(), end.text(time_limit_));
  if (end.how == ProgramEnd::How::interrupted) throw CancelledError(message);
  throw Error(ErrorKind::failure, message,
              "Mend what it complains of, or leave it out: --before, or backup.before in nerve.toml.");
}

bool BackupHooks::run_after(const BackupOccasion& occasion) const {
  if (after_.empty()) return true;
  ProgramCall call = call_for(after_, occasion, !output_.wants_json(), time_limit_);
  call.variables.emplace_back("NERVE_BACKUP_RESULT", result_of(occasion));
  call.variables.emplace_back("NERVE_BACKUP_EXIT", std::to_string(occasion.exit_code));
  call.variables.emplace_back("NERVE_BACKUP_ID", occasion.manifest ? occasion.manifest->id.to_string() : "");
  call.input = document_of(occasion);
  try {
    const ProgramEnd end = run_program(call);
    if (end.is_good()) return true;
    output_.warning(
        fmt::format("the program after the backup, {}, {}", after_.front(), end.text(time_limit_)));
  } catch (const Error& error) {
    output_.warning(fmt::format("the program after the backup, {}", error.what()));
  }
  return false;
}

}  // namespace nerve::cli
