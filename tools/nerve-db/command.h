// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace nerve::cli {

class Arguments;
class Context;

/// What a value is: parsing checks it, help shows it, and completions offer what fits.
enum class ValueType : std::uint8_t {
  none,      ///< a flag: it takes no value
  text,      ///< anything
  integer,   ///< a whole number between the limits
  choice,    ///< one of the choices
  database,  ///< a path, sqlite:PATH or postgresql://…
  file,
  folder,
  backup,  ///< an id from the repository, or "latest"
};

/// An option ("--db", with value_name "URL") or an operand ("ID").
struct Parameter {
  std::string_view name;
  std::string_view value_name = {};  ///< of an option that takes a value
  ValueType type = ValueType::none;
  std::string_view description;
  std::vector<std::string_view> choices = {};
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  bool required = false;  ///< of an operand
};

/// One command of nerve-db, or a group of commands: what it is called, what it takes, and what it does.
/// Parsing, help and completions are all made from this one definition.
struct Command {
  std::string_view name;
  std::string_view summary;           ///< one line, for lists
  std::string_view description = {};  ///< further sentences for its own help, lines of at most 79 characters
  std::vector<Parameter> operands = {};
  std::vector<Parameter> options = {};
  std::vector<Command> commands = {};
  std::string_view exit_codes = {};  ///< a sentence, where they differ from docs/exit_codes.md
  std::string_view example = {};     ///< a command line that works where chinook.sqlite is a database
  /// Does it and returns the exit code; throws the errors of nerve/core/error.h. A group without a verb of
  /// its own has none.
  int (*run)(Context& context, const Arguments& arguments) = nullptr;
  bool speaks_to_monitoring = false;  ///< errors end it with monitoring_unknown
};

/// The options that every command takes, before or after its name.
std::span<const Parameter> global_options();

/// "nerve-db" with all its commands.
const Command& root_command();

// The definitions that several commands share.
Parameter database_option();
Parameter repository_option();

// One for each source file of the same name.
Command backup_command();
Command restore_command();
Command health_command();
Command stats_command();
Command optimize_command();
Command queries_command();
Command migrate_command();
Command schema_command();
Command completions_command();

}  // namespace nerve::cli
