// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/output.h"

#include "table_layout.h"
#include "terminal.h"

#include "nerve/core/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace nerve {

namespace {

constexpr int one_line = -1;  // what dump() calls it

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool terminal_knows_colours() {
  return is_set("TERM") && std::string_view(std::getenv("TERM")) != "dumb";
}

bool uses_colour(std::FILE* stream, ColourChoice choice) {
  switch (choice) {
    case ColourChoice::always:
      return true;
    case ColourChoice::never:
      return false;
    case ColourChoice::automatic:
      return is_terminal(stream) && !is_set("NO_COLOR") && terminal_knows_colours();
  }
  return false;
}

/// The escape sequence that begins a style (ECMA-48 SGR); empty for plain.
std::string_view begin_of(Style style) noexcept {
  switch (style) {
    case Style::plain:
      return "";
    case Style::strong:
      return "\x1b[1m";
    case Style::faint:
      return "\x1b[2m";
    case Style::good:
      return "\x1b[32m";
    case Style::warning:
      return "\x1b[33m";
    case Style::bad:
      return "\x1b[31m";
  }
  return "";
}

void append_styled(std::string& line, std::string_view text, Style style, bool colour) {
  const bool is_plain = !colour || style == Style::plain;
  if (!is_plain) line += begin_of(style);
  line += text;
  if (!is_plain) line += "\x1b[0m";
}

std::string styled(std::string_view text, Style style, bool colour) {
  std::string line;
  append_styled(line, text, style, colour);
  return line;
}

/// One line of a table. `cells` are sanitised and as many as there are columns.
std::string row_text(const Table& table, const std::vector<std::size_t>& widths,
                     const std::vector<TableCell>& cells, bool colour) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string_view shown = cells[i].text;
    std::size_t width = display_width(shown);
    std::string shortened;
    if (width > widths[i]) {
      shortened = ellipsize(shown, widths[i]);
      shown = shortened;
      width = display_width(shown);
    }
    const std::size_t padding = widths[i] - std::min(widths[i], width);
    if (i > 0) text += column_gap;
    if (table.columns[i].align == Column::Align::right) text.append(padding, ' ');
    append_styled(text, shown, cells[i].style, colour);
    if (table.columns[i].align == Column::Align::left) text.append(padding, ' ');
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

Json error_document(const Error& error) {
  Json body = {{"kind", to_string(error.kind())}, {"message", error.what()}, {"hint", error.hint()}};
  const auto* validation = dynamic_cast<const ValidationError*>(&error);
  if (validation != nullptr && !validation->violations().empty()) {
    body["violations"] = to_json(validation->violations());
  }
  return {{"error", std::move(body)}};
}

std::string dumped(const Json& document, int indent, bool ascii_only) {
  return document.dump(indent, ' ', ascii_only, Json::error_handler_t::replace);
}

bool is_harmless_for_terminal(std::string text) {
  std::erase(text, '\n');
  return sanitize_for_terminal(text) == text;
}

}  // namespace

Json to_json(const std::vector<Violation>& violations) {
  Json list = Json::array();
  for (const Violation& violation : violations)
    list.push_back({{"field", violation.field}, {"rule", violation.rule}, {"message", violation.message}});
  return list;
}

Output::Output(std::FILE* data, std::FILE* talk, Options options)
    : data_(data),
      talk_(talk),
      options_(std::move(options)),
      data_colour_(uses_colour(data, options_.colour)),
      talk_colour_(uses_colour(talk, options_.colour)) {}

void Output::table(Table table) {
  sanitize(table);
  std::vector<std::size_t> widths = natural_widths(table);
  if (is_terminal(data_)) fit_widths(table.columns, terminal_columns(data_), widths);
  std::vector<TableCell> titles;
  for (const Column& column : table.columns) titles.emplace_back(column.title, Style::strong);
  write_line(row_text(table, widths, titles, data_colour_));
  for (const auto& row : table.rows) write_line(row_text(table, widths, row, data_colour_));
}

void Output::key_values(const std::vector<std::pair<std::string, TableCell>>& pairs) {
  std::size_t key_width = 0;
  for (const auto& [key, value] : pairs)
    key_width = std::max(key_width, display_width(sanitize_for_terminal(key)));
  for (const auto& [key, value] : pairs) {
    const std::string safe_key = sanitize_for_terminal(key);
    const std::string padding(key_width - display_width(safe_key), ' ');
    write_line(styled(safe_key, Style::strong, data_colour_) + padding + std::string(column_gap) +
               styled(sanitize_for_terminal(value.text), value.style, data_colour_));
  }
}

void Output::line(std::string_view text, Style style) {
  write_line(styled(sanitize_for_terminal(text), style, data_colour_));
}

void Output::text(std::string_view text) {
  write(text);
}

void Output::json(const Json& document) {
  constexpr int indent = 2;
  write_line(dumped_for_data(document, indent));
}

std::string Output::json_text(const Json& value) const {
  return dumped_for_data(value, one_line);
}

void Output::note(std::string_view text) {
  if (!options_.quiet && !options_.json) say("", Style::plain, text);
}

void Output::warning(std::string_view text) {
  if (options_.json) return say_json({{"warning", {{"message", std::string(text)}}}});
  say(options_.program + ": warning: ", Style::warning, text);
}

void Output::violation(std::string_view where, const Violation& violation) {
  if (options_.json) return;
  say("", Style::plain,
      std::string(where) + ": " + violation.field + " " + violation.message + " (rule " + violation.rule +
          ")");
}

void Output::error(const Error& error) {
  if (options_.json) return say_json(error_document(error));
  say(options_.program + ": error: ", Style::bad, error.what());
  if (const auto* validation = dynamic_cast<const ValidationError*>(&error)) {
    for (const Violation& violation : validation->violations()) {
      say("  ", Style::plain, violation.field + ": " + violation.message);
    }
  }
  if (!error.hint().empty()) say("hint: ", Style::strong, error.hint());
}

Progress::Options Output::progress(Progress::Unit unit) const {
  return {.unit = unit, .enabled = !options_.quiet && !options_.json, .terminal = is_terminal(talk_)};
}

void Output::finish() {
  if (std::fflush(data_) != 0 && write_errno_ == 0) write_errno_ = errno;
  if (write_errno_ == 0) return;
  const std::string message = "cannot write the output: ";
  switch (write_errno_) {
    case EPIPE:
      throw Error(ErrorKind::failure, message + "the program that reads it has ended");
    case ENOSPC:
      throw Error(ErrorKind::unavailable, message + "no space left on its device",
                  "Make room there, then run it again.");
    default:
      throw Error(ErrorKind::failure, message + std::generic_category().message(write_errno_));
  }
}

void Output::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), data_) != text.size() && write_errno_ == 0)
    write_errno_ = errno;
}

void Output::write_line(std::string line) {
  line += '\n';
  write(line);
}

std::string Output::dumped_for_data(const Json& document, int indent) const {
  std::string text = dumped(document, indent, false);
  // JSON leaves bidirectional and C1 controls as they are; as escapes they mean the same and drive no
  // terminal.
  return is_terminal(data_) && !is_harmless_for_terminal(text) ? dumped(document, indent, true) : text;
}

void Output::say(std::string_view prefix, Style style, std::string_view text) {
  const std::string line = styled(prefix, style, talk_colour_) + sanitize_for_terminal(text) + "\n";
  // Where talk cannot be written there is nobody left to tell.
  std::fwrite(line.data(), 1, line.size(), talk_);
}

void Output::say_json(const Json& document) {
  const std::string text = dumped(document, one_line, true) + "\n";
  std::fwrite(text.data(), 1, text.size(), talk_);
}

}  // namespace nerve
