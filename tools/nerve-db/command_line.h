// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.h"

#include "nerve/core/error.h"

#include <string>
#include <vector>

namespace nerve::cli {

/// What the words of a command line mean.
struct Invocation {
  std::vector<const Command*> path;  ///< from the root to the command that was chosen
  Arguments arguments;

  const Command& command() const { return *path.back(); }
};

/// The command line is wrong. Knows which command was meant, because that decides the exit code.
class UsageError : public ValidationError {
 public:
  UsageError(const std::string& message, std::string hint, const Command& command)
      : ValidationError(message, std::move(hint)), command_(command) {}

  const Command& command() const noexcept { return command_; }

 private:
  const Command& command_;
};

/// Reads the words behind the program's name. With --help or --version among them, nothing is missing. Throws
/// UsageError, whose text never repeats the value of an option or anything that could hold a password.
Invocation parse_command_line(const Command& root, const std::vector<std::string>& words);

/// "backup list" for that command's path, and "nerve-db" for the root.
std::string full_name(const std::vector<const Command*>& path);

}  // namespace nerve::cli
