// SPDX-License-Identifier: Apache-2.0
// nerve-db validate record
#include "context.h"
#include "input_lines.h"
#include "validate_commands.h"
#include "validation_report.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/validate/rules_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

constexpr std::size_t rules_size_bytes_max = 1024UL * 1024;
/// Of a line, or of a document of several lines, which is held as a whole.
constexpr std::size_t record_size_bytes_max = 16UL * 1024 * 1024;

constexpr std::string_view white_space = " \t\r";

validate::RuleSet rules_from(const Arguments& arguments) {
  const auto path = arguments.text("--rules");
  if (!path) {
    throw ValidationError("no rules are named",
                          "Name their file with --rules FILE; docs/validation.md says how it is written.");
  }
  InputLines file(*path, rules_size_bytes_max);
  return validate::parse_rules(file.rest(rules_size_bytes_max), file.name());
}

/// A line that is cut may go on with something.
bool is_blank(const InputLines::Line& line) {
  return line.is_whole && line.text.find_first_not_of(white_space) == std::string_view::npos;
}

/// Whether JSON that begins with this line goes on behind it: it opens more than it closes. An array is a
/// document in any case, as the records are its items.
bool begins_document(std::string_view line) {
  if (line.substr(std::min(line.find_first_not_of(white_space), line.size())).starts_with('[')) return true;
  int depth = 0;
  bool is_in_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (is_in_text && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      is_in_text = !is_in_text;
    } else if (!is_in_text) {
      if (line[i] == '{' || line[i] == '[') ++depth;
      if (line[i] == '}' || line[i] == ']') --depth;
    }
  }
  return depth > 0;
}

/// Checks the records of one input, in each of the forms that it may have.
class RecordCheck {
 public:
  RecordCheck(Output& output, const validate::RuleSet& rules, InputLines& lines)
      : output_(output), rules_(rules), lines_(lines), report_(output, "records") {}

  void run() {
    auto line = next_line();
    if (line && begins_document(line->text)) {
      check_document(*line);
    } else {
      for (; line; line = next_line()) check_line(*line);
    }
    report_.finish();
  }

 private:
  /// Blank lines hold no record.
  std::optional<InputLines::Line> next_line() {
    auto line = lines_.next();
    while (line && is_blank(*line)) line = lines_.next();
    return line;
  }

  void check_line(const InputLines::Line& line) {
    const std::string where = fmt::format("{}:{}", lines_.name(), lines_.number());
    const Json result = {{"line", lines_.number()}, {"canonical", nullptr}};
    if (!line.is_whole) {
      const std::string limit = format_size(record_size_bytes_max);
      report_.add(where, result, {{"record", "length", "is longer than " + limit}});
      return;
    }
    Json record;
    try {
      record = parse_json(line.text, "line");
    } catch (const ValidationError& error) {
      // "line:1:COLUMN: WHAT"
      const std::string_view place_and_reason =
          std::string_view(error.what()).substr(std::string_view("line:1:").size());
      report_.add(where, result,
                  {{"record", "json", fmt::format("is not JSON at column {}", place_and_reason)}});
      return;
    }
    check(where, result, record);
  }

  void check_document(const InputLines::Line& first) {
    const std::size_t first_line = lines_.number();
    if (!first.is_whole || first_line > record_size_bytes_max) throw_too_large();
    const std::string before(first_line - 1, '\n');  // so that errors name the line
    std::string text = before + std::string(first.text) + '\n';
    text += lines_.rest(record_size_bytes_max);
    if (text.size() > record_size_bytes_max) throw_too_large();
    Json document = parse_json(text, lines_.name());
    if (!document.is_array())
      return check(lines_.name(), {{"line", first_line}, {"canonical", nullptr}}, document);
    for (std::size_t i = 0; i < document.size(); ++i) {
      check(fmt::format("{}[{}]", lines_.name(), i), {{"index", i}, {"canonical", nullptr}}, document[i]);
    }
  }

  [[noreturn]] void throw_too_large() const {
    throw ValidationError(
        fmt::format("{} is larger than {}", lines_.name(), format_size(record_size_bytes_max)),
        "Write each record on a line of its own, as JSON lines have it.");
  }

  void check(const std::string& where, Json result, Json& record) {
    const std::vector<Violation> violations = rules_.canonicalize(record);
    if (violations.empty()) result["canonical"] = record;
    if (report_.add(where, std::move(result), violations)) output_.text(output_.json_text(record) + '\n');
  }

  Output& output_;
  const validate::RuleSet& rules_;
  InputLines& lines_;
  ValidationReport report_;
};

int run_record(Context& context, const Arguments& arguments) {
  const validate::RuleSet rules = rules_from(arguments);
  InputLines lines(*arguments.text("FILE"), record_size_bytes_max);
  RecordCheck(context.output(), rules, lines).run();
  return 0;
}

}  // namespace

Command validate_record_command() {
  return {.name = "record",
          .summary = "check records in JSON by a file of rules",
          .description =
              "A file holds one object, an array of objects, or an object on each line (JSON\n"
              "lines), which is read as it comes. The canonical records are written as JSON\n"
              "lines. docs/validation.md says how rules are written.",
          .operands = {{.name = "FILE",
                        .type = ArgumentType::file,
                        .description = "the records; - for standard input",
                        .required = true}},
          .options = {{.name = "--rules",
                       .value_name = "FILE",
                       .type = ArgumentType::file,
                       .description = "what the fields of a record must be"}},
          .exit_codes = "2 also when a record is not valid",
          .example = "nerve-db validate record users.json --rules user-rules.json",
          .run = &run_record};
}

}  // namespace nerve::cli
