// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

#include "nerve/core/text.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace nerve::cli {

namespace {

/// A command with what CLI11 keeps of it.
struct Node {
  struct Value {
    const Argument* parameter;
    CLI::Option* option;
  };

  const Command* command = nullptr;
  const Node* parent = nullptr;
  CLI::App* app = nullptr;
  std::vector<Value> values;
};

/// The part of an unexpected word that may be shown: an option without its value, a URL without what follows
/// its scheme, since both may hold a password.
std::string shown(std::string_view word) {
  const std::size_t end = word.find_first_of("=:@");
  return end == std::string_view::npos ? std::string(word) : std::string(word.substr(0, end)) + "…";
}

std::string in_quotes(std::string_view word) {
  return "'" + std::string(word) + "'";
}

bool is_option(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}

std::string help_hint(std::string_view name) {
  return fmt::format("'{} --help' shows what it takes.", name);
}

class Parser {
 public:
  Parser(const Command& root, const std::vector<std::string>& words) : words_(words) { build(root, nullptr); }

  Invocation parse();

 private:
  void build(const Command& command, const Node* parent);
  static void add(Node& node, const Argument& parameter);
  const Node& chosen() const;

  std::vector<const Command*> path_to(const Node& node) const;
  std::string name_of(const Node& node) const { return full_name(path_to(node)); }
  [[noreturn]] void refuse(const Node& node, const std::string& message, std::string hint = {}) const;
  [[noreturn]] void refuse_word(const Node& node, const std::string& word) const;
  [[noreturn]] void refuse_option(const Node& node, const std::string& word) const;
  [[noreturn]] void refuse_parse_error(const std::string& what) const;
  void refuse_empty_values() const;

  Arguments collect(const Node& node) const;
  void collect_value(const Node& node, const Node::Value& value, Arguments& arguments) const;
  void check(const Node& node, const Argument& parameter, const std::string& value) const;
  void require_complete(const Node& node, const Arguments& arguments) const;

  const std::vector<std::string>& words_;
  CLI::App app_;
  std::deque<Node> nodes_;  // the root first; their addresses stay
};

void Parser::build(const Command& command, const Node* parent) {
  Node& node = nodes_.emplace_back();
  node.command = &command;
  node.parent = parent;
  node.app = parent == nullptr ? &app_ : parent->app->add_subcommand(std::string(command.name));
  node.app->set_help_flag();
  node.app->allow_extras();
  node.app->require_subcommand(0, 1);
  // Global options may follow the command, and words that nobody knows end at the root, which reports them.
  if (parent != nullptr) node.app->fallthrough();
  if (parent == nullptr) {
    for (const Argument& option : global_options()) add(node, option);
  }
  for (const Argument& operand : command.operands) add(node, operand);
  for (const Argument& option : command.options) add(node, option);
  // Each command that CLI11 is told of costs time, and one whose name is no word of the line cannot be
  // chosen.
  for (const Command& inner : command.commands) {
    if (std::find(words_.begin(), words_.end(), inner.name) != words_.end()) build(inner, &node);
  }
}

void Parser::add(Node& node, const Argument& parameter) {
  const std::string name(parameter.name);
  CLI::Option* option = nullptr;
  if (parameter.type == ArgumentType::none) {
    option = node.app->add_flag(name)->disable_flag_override();
  } else {
    // All values are taken, so that an option given twice is refused with words of our own.
    option = node.app->add_option(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (parameter.repeats && !is_option(name)) option->expected(-1);
  }
  node.values.push_back({&parameter, option});
}

Invocation Parser::parse() {
  refuse_empty_values();
  try {
    app_.parse(std::vector<std::string>(words_.rbegin(), words_.rend()));
  } catch (const CLI::ParseError& error) {
    refuse_parse_error(error.what());
  }
  const Node& node = chosen();
  Invocation invocation;
  invocation.path = path_to(node);
  invocation.arguments = collect(node);
  const bool explains = invocation.arguments.has("--help") || invocation.arguments.has("--version");
  std::vector<std::string> unknown = app_.remaining(true);
  // CLI11 keeps the mark behind which everything is an operand.
  const auto mark = std::ranges::find(unknown, "--");
  if (mark != unknown.end()) unknown.erase(mark);
  if (!explains) {
    if (!unknown.empty()) refuse_word(node, unknown.front());
    require_complete(node, invocation.arguments);
  } else if (!node.command->commands.empty()) {
    // Help wins over what is missing or wrong, but help of another command than was named would mislead.
    const auto word = std::ranges::find_if_not(unknown, is_option);
    if (word != unknown.end()) refuse_word(node, *word);
  }
  return invocation;
}

const Node& Parser::chosen() const {
  const Node* found = &nodes_.front();
  for (const Node& node : nodes_) {
    const bool follows = node.parent == found && node.app->parsed();
    if (follows) found = &node;
  }
  return *found;
}

std::vector<const Command*> Parser::path_to(const Node& node) const {
  std::vector<const Command*> path;
  for (const Node* step = &node; step != nullptr; step = step->parent)
    path.insert(path.begin(), step->command);
  return path;
}

void Parser::refuse(const Node& node, const std::string& message, std::string hint) const {
  throw UsageError(message, hint.empty() ? help_hint(name_of(node)) : std::move(hint), *node.command);
}

void Parser::refuse_word(const Node& node, const std::string& word) const {
  if (is_option(word)) refuse_option(node, word);
  std::vector<std::string_view> names;
  for (const Command& inner : node.command->commands) names.push_back(inner.name);
  // A misspelled command may have been taken as an operand, of which there is one too many now.
  std::vector<std::string> words{word};
  bool takes_operand_of_database = false;
  bool has_option_of_database = false;
  for (const Node::Value& value : node.values) {
    const bool is_of_database = value.parameter->type == ArgumentType::database;
    if (is_option(value.parameter->name)) {
      has_option_of_database = has_option_of_database || is_of_database;
    } else {
      takes_operand_of_database = takes_operand_of_database || is_of_database;
      for (const std::string& operand : value.option->results()) words.push_back(operand);
    }
  }
  for (const std::string& one : words) {
    if (const auto match = closest_match(one, names)) {
      refuse(node, fmt::format("unknown command {}", in_quotes(shown(one))),
             fmt::format("Did you mean '{} {}'?", name_of(node), *match));
    }
  }
  if (!names.empty() && !takes_operand_of_database && !has_option_of_database) {
    refuse(node, fmt::format("unknown command {}", in_quotes(shown(word))),
           fmt::format("'{} --help' lists the commands.", name_of(node)));
  }
  refuse(node, fmt::format("{} does not take {}", name_of(node), in_quotes(shown(word))),
         has_option_of_database ? fmt::format("A database is named with --db: --db {}.", shown(word))
                                : std::string());
}

void Parser::refuse_option(const Node& node, const std::string& word) const {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string_view> names;
  for (const Argument& option : node.command->options) names.push_back(option.name);
  for (const Argument& option : global_options()) names.push_back(option.name);
  const auto match = closest_match(name, names);
  refuse(node, fmt::format("{} has no option {}", name_of(node), shown(name)),
         match ? fmt::format("Did you mean {}?", *match) : std::string());
}

/// CLI11 throws for an option without its value and for a flag with one; its message begins with the name, of
/// a flag without the dashes.
void Parser::refuse_parse_error(const std::string& what) const {
  const std::string first_word = what.substr(0, what.find_first_of(": "));
  const Node& node = chosen();
  for (const Node* step = &node; step != nullptr; step = step->parent) {
    for (const Node::Value& value : step->values) {
      const std::string_view name = value.parameter->name;
      if (first_word != name && first_word != name.substr(2)) continue;
      if (value.parameter->type == ArgumentType::none)
        refuse(node, fmt::format("option {} takes no value", name));
      refuse(node, fmt::format("option {} needs a value", name),
             fmt::format("Write it as {} {}.", name, value.parameter->value_name));
    }
  }
  refuse(node, "the command line cannot be understood");
}

/// To CLI11 `--db= x` is `--db x`, which would take a word that belongs to something else.
void Parser::refuse_empty_values() const {
  for (const std::string& word : words_) {
    if (word == "--") return;
    if (word.starts_with("--") && word.find('=') == word.size() - 1) {
      refuse(nodes_.front(),
             fmt::format("option {} is given an empty value", word.substr(0, word.size() - 1)));
    }
  }
}

Arguments Parser::collect(const Node& node) const {
  Arguments arguments;
  for (const Node* step = &node; step != nullptr; step = step->parent) {
    for (const Node::Value& value : step->values) {
      if (value.option->count() > 0) collect_value(node, value, arguments);
    }
  }
  return arguments;
}

/// An option may stand before the inner command, as in `backup --db FILE list`, if that one knows it.
void Parser::collect_value(const Node& node, const Node::Value& value, Arguments& arguments) const {
  const Argument& given = *value.parameter;
  const auto knows = [&](const Argument& known) { return known.name == given.name; };
  const std::span<const Argument> global = global_options();
  const std::vector<Argument>& own = node.command->options;
  const std::vector<Argument>& operands = node.command->operands;
  if (std::none_of(own.begin(), own.end(), knows) && std::none_of(global.begin(), global.end(), knows) &&
      std::none_of(operands.begin(), operands.end(), knows)) {
    refuse_option(node, std::string(given.name));
  }
  // backup has the flag --full, and backup schedule an option of that name with a value.
  const auto same_name = std::ranges::find_if(own, knows);
  if (same_name != own.end() && same_name->type != given.type) {
    refuse(node, fmt::format("{} stands before the command {}", given.name, node.command->name),
           "Write it behind the command.");
  }
  if (given.type == ArgumentType::none) {
    arguments.add(given.name, "true");
    return;
  }
  const std::vector<std::string>& results = value.option->results();
  if (!given.repeats && (results.size() > 1 || arguments.has(given.name))) {
    refuse(node, fmt::format("{} is given more than once", given.name), "Give it once.");
  }
  for (const std::string& result : results) {
    check(node, given, result);
    arguments.add(given.name, result);
  }
}

void Parser::check(const Node& node, const Argument& parameter, const std::string& value) const {
  if (value.empty()) refuse(node, fmt::format("{} is given an empty value", parameter.name));
  if (parameter.type == ArgumentType::choice) {
    if (std::find(parameter.choices.begin(), parameter.choices.end(), value) != parameter.choices.end())
      return;
    const auto match = closest_match(value, parameter.choices);
    refuse(node, fmt::format("{} must be one of {}", parameter.name, fmt::join(parameter.choices, ", ")),
           match ? fmt::format("Did you mean {}?", *match) : std::string());
  }
  if (parameter.type == ArgumentType::duration) {
    const auto span = parse_duration(value);
    if (span && span->count() >= parameter.minimum && span->count() <= parameter.maximum) return;
    refuse(node, fmt::format("{} must be a span from {} to {}, such as {}", parameter.name,
                             duration_word(std::chrono::seconds(parameter.minimum)),
                             duration_word(std::chrono::seconds(parameter.maximum)),
                             fmt::join(parameter.choices, ", ")));
  }
  if (parameter.type == ArgumentType::integer) {
    std::int64_t number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool whole = read.ec == std::errc() && read.ptr == value.data() + value.size();
    if (whole && number >= parameter.minimum && number <= parameter.maximum) return;
    refuse(node, fmt::format("{} must be a whole number from {} to {}", parameter.name, parameter.minimum,
                             parameter.maximum));
  }
}

void Parser::require_complete(const Node& node, const Arguments& arguments) const {
  if (node.command->run == nullptr) {
    refuse(node, fmt::format("{} needs a command", name_of(node)),
           fmt::format("'{} --help' lists the commands.", name_of(node)));
  }
  for (const Argument& operand : node.command->operands) {
    if (operand.required && !arguments.has(operand.name)) {
      refuse(node, fmt::format("{} needs {}: {}", name_of(node), operand.name, operand.description));
    }
  }
}

}  // namespace

Invocation parse_command_line(const Command& root, const std::vector<std::string>& words) {
  return Parser(root, words).parse();
}

std::string full_name(const std::vector<const Command*>& path) {
  std::string name;
  for (const Command* command : path) {
    if (!name.empty()) name += ' ';
    name += command->name;
  }
  return name;
}

}  // namespace nerve::cli
