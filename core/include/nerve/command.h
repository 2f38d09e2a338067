// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/arguments.h"
#include "nerve/core/output.h"
#include "nerve/db/codec.h"
#include "nerve/scope.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve {

class Stores;

/// What a value is: parsing checks it, help shows it, and completions offer what fits.
enum class ArgumentType : std::uint8_t {
  none,      ///< a flag: it takes no value
  text,      ///< anything
  integer,   ///< a whole number between the limits
  choice,    ///< one of the choices
  duration,  ///< a span such as "15m" between the limits, which are seconds; the choices are proposals
  database,  ///< a path, sqlite:PATH or postgresql://…
  file,
  folder,
  backup,  ///< an id from the repository, or "latest"
};

/// An option ("--db", with value_name "URL") or an operand ("ID").
struct Argument {
  std::string_view name;
  std::string_view value_name = {};  ///< of an option that takes a value
  ArgumentType type = ArgumentType::none;
  std::string description;
  std::vector<std::string_view> choices = {};
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  bool required = false;  ///< of an operand: what must be given is no option
  bool repeats = false;   ///< it may be given several times; an operand that repeats is the last one
};

/// What the program gives to a command of a module.
class CommandContext {
 public:
  CommandContext() = default;
  CommandContext(const CommandContext&) = delete;
  CommandContext& operator=(const CommandContext&) = delete;
  virtual ~CommandContext() = default;

  virtual Output& output() noexcept = 0;
  /// Of the workspace that the options, the environment or the working folder name. Throws NotFoundError
  /// where there is none.
  virtual Stores& stores() = 0;
  /// The operator of the machine, acting for the whole workspace.
  virtual Scope scope() = 0;
  /// The same for the tenant that tenant_option() names, or the only one. Throws ValidationError where there
  /// are several and none is named, NotFoundError.
  virtual Scope tenant_scope(const Arguments& arguments) = 0;
  /// Returns at once where --yes was given, else asks on the terminal. Throws CancelledError for a no, and
  /// ValidationError where nobody can be asked. The command has the option yes_option().
  virtual void require_confirmation(std::string_view question) = 0;
};

/// What a command does: a function of its context and its arguments that returns the exit code.
///
/// Functions of modules take a CommandContext. A program may run commands of its own with a context derived
/// from it; such a command is then run with that context only.
class CommandAction {
 public:
  CommandAction() = default;
  CommandAction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  template <std::derived_from<CommandContext> Context>
  CommandAction(int (*action)(Context&, const Arguments&))  // NOLINT(google-explicit-constructor)
      : call_([action](CommandContext& context, const Arguments& arguments) {
          return action(static_cast<Context&>(context), arguments);
        }) {}
  /// Anything else that can be called so.
  explicit CommandAction(std::function<int(CommandContext&, const Arguments&)> call)
      : call_(std::move(call)) {}

  int operator()(CommandContext& context, const Arguments& arguments) const {
    return call_(context, arguments);
  }
  friend bool operator==(const CommandAction& action, std::nullptr_t) { return action.call_ == nullptr; }

 private:
  std::function<int(CommandContext&, const Arguments&)> call_;
};

/// One command of nerve-db, or a group of commands: what it is called, what it takes, and what it does.
/// Parsing, help and completions are all made from this one definition.
struct Command {
  std::string_view name;
  std::string summary;           ///< one line, for lists
  std::string description = {};  ///< further sentences for its own help, lines of at most 79 characters
  std::vector<Argument> operands = {};
  std::vector<Argument> options = {};
  std::vector<Command> commands = {};
  std::string_view exit_codes = {};  ///< a sentence, where they differ from docs/exit_codes.md
  /// A command line that works where chinook.sqlite is a database, users.json a record that keeps the rules
  /// of user-rules.json, and demo a workspace with what tests/cli/demo/ puts into it: the tenant acme, and
  /// the removed tenant gone.
  std::string example = {};
  /// Does it; throws the errors of nerve/core/error.h. A group without a verb of its own has none.
  CommandAction run = nullptr;
  bool speaks_to_monitoring = false;  ///< errors end it with monitoring_unknown
};

/// The choices of an option whose value is an enum, as db::enum_texts spells them.
template <class Enum>
std::vector<std::string_view> choices_of() {
  return {std::begin(db::enum_texts<Enum>), std::end(db::enum_texts<Enum>)};
}

/// The flag that answers the question of CommandContext::require_confirmation beforehand.
Argument yes_option();
/// The flag for commands that destroy or move: show what would be done, and do nothing.
Argument dry_run_option();

}  // namespace nerve
