// SPDX-License-Identifier: Apache-2.0
// nerve-db: reads the command line, runs one command, and turns what happened into an exit code.
#include "command_line.h"
#include "context.h"
#include "exit_codes.h"
#include "help.h"

#include "nerve/backends/sqlite/process.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/json.h"

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <string>
#include <vector>

namespace nerve::cli {

namespace {

/// What this process writes is for its user only; a crash leaves no secret in a core dump; and a reader that
/// goes away is an error of write(2) instead of the end.
void harden_process() {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
}

Output::Options output_options(const Arguments& arguments) {
  Output::Options options;
  options.json = arguments.has("--json");
  options.quiet = arguments.has("--quiet");
  options.utc = arguments.has("--utc");
  const std::string colour = arguments.text("--color").value_or("auto");
  if (colour == "always") options.colour = ColourChoice::always;
  if (colour == "never") options.colour = ColourChoice::never;
  return options;
}

void show_version(Output& output) {
  if (output.wants_json()) {
    output.json({{"name", "nerve-db"}, {"version", NERVE_VERSION}});
  } else {
    output.line("nerve-db " NERVE_VERSION);
  }
}

int run(const Invocation& invocation, Output& output) {
  if (invocation.arguments.has("--help")) {
    output.text(help_text(invocation.path));
    return 0;
  }
  if (invocation.arguments.has("--version")) {
    show_version(output);
    return 0;
  }
  const InterruptGuard guard;
  Context context(output, invocation.arguments);
  const int exit_code = invocation.command().run(context, invocation.arguments);
  context.keep_store_logs();
  return exit_code;
}

int exit_code_for(const Error& error, const Command& command) {
  const ExitCode code = exit_code_of(error.kind());
  if (command.speaks_to_monitoring && code != ExitCode::cancelled) return monitoring_unknown;
  return static_cast<int>(code);
}

/// Somebody who closes the pipe, as `head` does, has seen enough.
bool reader_is_gone() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int finish(Output& output, const Command& command, int exit_code) {
  try {
    output.finish();
    return exit_code;
  } catch (const Error& error) {
    if (reader_is_gone()) return exit_code;
    output.error(error);
    return exit_code_for(error, command);
  }
}

/// Nothing is thrown past here: an exception of the standard library becomes an Error that names no value.
int run_and_report(const Invocation& invocation) {
  Output output(stdout, stderr, output_options(invocation.arguments));
  const Command& command = invocation.command();
  int exit_code = static_cast<int>(ExitCode::failure);
  try {
    exit_code = run(invocation, output);
  } catch (const Error& error) {
    output.error(error);
    exit_code = exit_code_for(error, command);
  } catch (const std::exception& unexpected) {
    const Error error = error_from(unexpected);
    output.error(error);
    exit_code = exit_code_for(error, command);
  }
  return finish(output, command, exit_code);
}

int run_words(const std::vector<std::string>& words) {
  try {
    return run_and_report(parse_command_line(root_command(), words));
  } catch (const UsageError& error) {
    // The options were not understood, but whoever reads the error still has to.
    Output::Options options;
    options.json = std::find(words.begin(), words.end(), "--json") != words.end();
    Output(stdout, stderr, options).error(error);
    return exit_code_for(error, error.command());
  }
}

}  // namespace

}  // namespace nerve::cli

int main(int argc, char** argv) {
  nerve::cli::harden_process();
  nerve::sqlite::settle_for_short_runs();
  return nerve::cli::run_words(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
