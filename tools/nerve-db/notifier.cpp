// SPDX-License-Identifier: Apache-2.0
#include "notifier.h"

#include "child_program.h"

#include "nerve/core/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nerve::cli {

namespace {

constexpr std::string_view notifier_hint =
    "Correct maintenance.notify in nerve.toml; try the program by hand with JSON on its standard input.";

}  // namespace

void notify(const std::vector<std::string>& command, const Json& message) {
  if (command.empty()) return;
  const ProgramCall call{.command = command, .input = message.dump() + "\n"};
  ProgramEnd end;
  try {
    end = run_program(call);
  } catch (const Error& error) {
    throw Error(ErrorKind::failure, fmt::format("the notifier {}", error.what()), std::string(notifier_hint));
  }
  if (end.is_good()) return;
  throw Error(ErrorKind::failure,
              fmt::format("the notifier {} {}", command.front(), end.text(call.time_limit)),
              std::string(notifier_hint));
}

}  // namespace nerve::cli
