// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/progress.h"
#include "nerve/core/time.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve {

enum class ColourChoice : std::uint8_t { automatic, always, never };

/// What a piece of text means; colours follow from it.
enum class Style : std::uint8_t { plain, strong, faint, good, warning, bad };

struct TableCell {
  TableCell(std::string cell_text, Style cell_style = Style::plain)  // NOLINT(google-explicit-constructor)
      : text(std::move(cell_text)), style(cell_style) {}
  TableCell(const char* cell_text) : text(cell_text) {}  // NOLINT(google-explicit-constructor)

  std::string text;
  Style style = Style::plain;
};

struct Column {
  enum class Align : std::uint8_t { left, right };

  std::string title;
  Align align = Align::left;
  std::size_t width_min = 4;  ///< what fitting the terminal leaves of it at least
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<TableCell>> rows;  ///< each as long as `columns`
};

/// [{"field", "rule", "message"}, …].
Json to_json(const std::vector<Violation>& violations);

/// What a command says: data to one stream, talk to another, in the form that the options ask for.
///
/// All text passes sanitize_for_terminal(), so what a database holds cannot drive the terminal; text() is the
/// one exception. Colours are used when the stream is a terminal, NO_COLOR is unset or empty (no-color.org)
/// and TERM is not "dumb", unless the options decide. A failed write is remembered and thrown by finish().
/// For one thread.
class Output {
 public:
  struct Options {
    bool json = false;   ///< data is one JSON document; talk is JSON too, one line each
    bool quiet = false;  ///< no notes and no progress
    ColourChoice colour = ColourChoice::automatic;
    bool utc = false;  ///< times for people in UTC instead of local time
    std::string program = "nerve-db";
  };

  /// Borrows both streams: stdout and stderr, except in tests.
  Output(std::FILE* data, std::FILE* talk, Options options);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool wants_json() const noexcept { return options_.json; }
  bool is_quiet() const noexcept { return options_.quiet; }
  const Options& options() const noexcept { return options_; }

  /// Data: a table with its titles. On a terminal the widest left-aligned columns are shortened until it
  /// fits; elsewhere every text is whole.
  void table(Table table);
  /// Data: one `key  value` line each, the values aligned.
  void key_values(const std::vector<std::pair<std::string, TableCell>>& pairs);
  /// Data: one line.
  void line(std::string_view text, Style style = Style::plain);
  /// Data: as it is, without a newline, for text that the program made itself (completions, metrics).
  void text(std::string_view text);
  /// Data: one JSON document, indented by two, and a newline. Text that is not UTF-8 shows U+FFFD.
  void json(const Json& document);
  /// What json() would write of a value, on one line without its end: for text().
  std::string json_text(const Json& value) const;

  /// Talk: one line, unless quiet. With --json nothing: what a program must know is in its document.
  void note(std::string_view text);
  /// Talk: "nerve-db: warning: TEXT"; with --json {"warning": {"message"}} on one line.
  void warning(std::string_view text);
  /// Talk: "WHERE: FIELD MESSAGE (rule RULE)", when quiet too, for what is wrong with one of many inputs.
  /// With
  /// --json nothing: it is in the document.
  void violation(std::string_view where, const Violation& violation);
  /// Talk: "nerve-db: error: MESSAGE", a line for each violation and "hint: HINT"; with --json
  /// {"error": {"kind", "message", "hint", "violations"?: [{"field", "rule", "message"}]}} on one line.
  void error(const Error& error);

  /// A time for people, local or UTC as the options say.
  std::string time(Timestamp time) const { return time.to_local_text(options_.utc); }
  /// How a Progress that writes beside this output should behave: `Progress progress(output.talk(),
  /// output.progress(unit))`.
  Progress::Options progress(Progress::Unit unit) const;
  std::FILE* talk() const noexcept { return talk_; }

  /// Flushes the data. Throws Error when any of it could not be written: the device is full, the reader is
  /// gone. The last call of a command, with SIGPIPE ignored.
  void finish();

 private:
  void write(std::string_view text);
  void write_line(std::string line);
  std::string dumped_for_data(const Json& document, int indent) const;
  void say(std::string_view prefix, Style style, std::string_view text);
  void say_json(const Json& document);

  std::FILE* data_;
  std::FILE* talk_;
  Options options_;
  bool data_colour_;
  bool talk_colour_;
  int write_errno_ = 0;
};

}  // namespace nerve
