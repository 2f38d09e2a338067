// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/output.h"

#include "environment_variable.h"
#include "memory_stream.h"
#include "pseudo_terminal.h"

#include "nerve/core/json_list.h"
#include "nerve/core/text.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace nerve {

namespace {

using test::EnvironmentVariable;
using test::MemoryStream;
using test::PseudoTerminal;

Table sample_table() {
  return {.columns = {{.title = "name"}, {.title = "rows", .align = Column::Align::right}, {.title = "note"}},
          .rows = {{"albums", "347", "a remark of many words"}, {"tracks", "3,503", ""}}};
}

/// What a terminal gets from a line() in the style of a failure.
std::string red_line_on_terminal(Output::Options options) {
  PseudoTerminal terminal(80);
  {
    Output output(terminal.stream(), terminal.stream(), std::move(options));
    output.line("wrong", Style::bad);
  }
  return terminal.close_and_read();
}

std::string finish_refusal(std::FILE* stream) {
  const MemoryStream talk;
  Output output(stream, talk.stream(), {});
  output.line("data");
  try {
    output.finish();
  } catch (const Error& error) {
    return error.what();
  }
  return "it was written";
}

}  // namespace

TEST_CASE("a table aligns its columns and is whole where there is no terminal") {
  const EnvironmentVariable columns("COLUMNS", "20");
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {});
  output.table(sample_table());
  CHECK(data.text() ==
        "name     rows  note\n"
        "albums    347  a remark of many words\n"
        "tracks  3,503\n");
  CHECK(talk.text().empty());
}

TEST_CASE("on a terminal the widest left-aligned column gives until the table fits") {
  const EnvironmentVariable columns("COLUMNS", std::nullopt);
  PseudoTerminal terminal(26);
  {
    Output output(terminal.stream(), terminal.stream(), {.colour = ColourChoice::never});
    output.table(sample_table());
  }
  CHECK(terminal.close_and_read() ==
        "name     rows  note\n"
        "albums    347  a remark o\xe2\x80\xa6\n"
        "tracks  3,503\n");
}

TEST_CASE("COLUMNS is preferred to the terminal's own width") {
  const EnvironmentVariable columns("COLUMNS", "26");
  PseudoTerminal terminal(200);
  {
    Output output(terminal.stream(), terminal.stream(), {.colour = ColourChoice::never});
    output.table(sample_table());
  }
  CHECK(terminal.close_and_read().find("a remark o\xe2\x80\xa6\n") != std::string::npos);
}

TEST_CASE("numbers and the least widths are kept even where the table does not fit") {
  const EnvironmentVariable columns("COLUMNS", "5");
  PseudoTerminal terminal(80);
  {
    Output output(terminal.stream(), terminal.stream(), {.colour = ColourChoice::never});
    output.table(sample_table());
  }
  CHECK(terminal.close_and_read() ==
        "name   rows  note\n"
        "alb\xe2\x80\xa6    347  a r\xe2\x80\xa6\n"
        "tra\xe2\x80\xa6  3,503\n");
}

TEST_CASE("wide characters and missing cells do not disturb the columns") {
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {});
  output.table({.columns = {{.title = "name"}, {.title = "n"}},
                .rows = {{"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "1"}, {"x"}}});
  CHECK(data.text() ==
        "name    n\n"
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e  1\n"
        "x\n");
}

TEST_CASE("what a database holds cannot drive the terminal") {
  const std::string attack = "x\x1b]0;owned\x07\ny";
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {});
  output.line(attack);
  output.key_values({{attack, attack}});
  output.table({.columns = {{.title = attack}}, .rows = {{attack}}});
  output.note(attack);
  output.warning(attack);
  output.error(ValidationError(attack, attack, {{attack, "rule", attack}}));
  output.violation(attack, {attack, attack, attack});
  const std::string all = data.text() + talk.text();
  CHECK(all.find('\x1b') == std::string::npos);
  CHECK(all.find('\x07') == std::string::npos);
  CHECK(all.find("x\\x1b]0;owned\\x07\\ny") != std::string::npos);
}

// NOLINTBEGIN(misc-misleading-bidirectional): the control that must not reach the terminal
TEST_CASE("JSON on a terminal shows controls as escapes that mean the same") {
  const Json document = {{"name",
                          "\xe2\x80\xaetxt.exe \xc2\x9b"
                          "31m \x7f"}};
  PseudoTerminal terminal(80);
  {
    Output output(terminal.stream(), terminal.stream(), {.json = true});
    output.json(document);
  }
  const std::string shown = terminal.close_and_read();
  CHECK(shown.find("\xe2\x80\xae") == std::string::npos);
  CHECK(shown.find("\xc2\x9b") == std::string::npos);
  CHECK(Json::parse(shown) == document);
}
// NOLINTEND(misc-misleading-bidirectional)

TEST_CASE("JSON is one document and a newline, with text that is not UTF-8 replaced") {
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {.json = true});
  output.json({{"a", "caf\xc3\xa9"}, {"b", "\xff"}});
  CHECK(data.text() == "{\n  \"a\": \"caf\xc3\xa9\",\n  \"b\": \"\xef\xbf\xbd\"\n}\n");
}

TEST_CASE("keys are padded so that values stand below each other") {
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {});
  output.key_values({{"size", "1.5 MiB"}, {"page count", "247"}});
  CHECK(data.text() == "size        1.5 MiB\npage count  247\n");
}

TEST_CASE("colours are used on a terminal that knows them") {
  const EnvironmentVariable no_colour("NO_COLOR", std::nullopt);
  const EnvironmentVariable term("TERM", "xterm-256color");
  CHECK(red_line_on_terminal({}) == "\x1b[31mwrong\x1b[0m\n");
  const MemoryStream data;
  Output output(data.stream(), data.stream(), {});
  output.line("wrong", Style::bad);
  CHECK(data.text() == "wrong\n");
}

TEST_CASE("NO_COLOR turns colours off unless it is empty") {
  const EnvironmentVariable term("TERM", "xterm-256color");
  const EnvironmentVariable set("NO_COLOR", "1");
  CHECK(red_line_on_terminal({}) == "wrong\n");
  const EnvironmentVariable empty("NO_COLOR", "");
  CHECK(red_line_on_terminal({}) == "\x1b[31mwrong\x1b[0m\n");
}

TEST_CASE("a dumb or unnamed terminal gets no colours") {
  const EnvironmentVariable no_colour("NO_COLOR", std::nullopt);
  const EnvironmentVariable dumb("TERM", "dumb");
  CHECK(red_line_on_terminal({}) == "wrong\n");
  const EnvironmentVariable unnamed("TERM", std::nullopt);
  CHECK(red_line_on_terminal({}) == "wrong\n");
}

TEST_CASE("an option decides over NO_COLOR and over the terminal") {
  const EnvironmentVariable no_colour("NO_COLOR", "1");
  const EnvironmentVariable term("TERM", "xterm-256color");
  CHECK(red_line_on_terminal({.colour = ColourChoice::always}) == "\x1b[31mwrong\x1b[0m\n");
  const EnvironmentVariable unset("NO_COLOR", std::nullopt);
  CHECK(red_line_on_terminal({.colour = ColourChoice::never}) == "wrong\n");
  const MemoryStream data;
  Output output(data.stream(), data.stream(), {.colour = ColourChoice::always});
  output.line("fine", Style::good);
  CHECK(data.text() == "\x1b[32mfine\x1b[0m\n");
}

TEST_CASE("notes, warnings and errors are talk, and only notes are left out when quiet") {
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {.quiet = true});
  output.note("it takes a while");
  output.warning("the file is empty");
  output.error(NotFoundError("file 'x' does not exist", "Check the path."));
  CHECK(data.text().empty());
  CHECK(talk.text() ==
        "nerve-db: warning: the file is empty\n"
        "nerve-db: error: file 'x' does not exist\n"
        "hint: Check the path.\n");
  const MemoryStream loud;
  Output(data.stream(), loud.stream(), {}).note("it takes a while");
  CHECK(loud.text() == "it takes a while\n");
}

TEST_CASE("with JSON talk is JSON too, one line each, and notes are left out") {
  const MemoryStream talk;
  Output output(talk.stream(), talk.stream(), {.json = true});
  output.note("repository: /srv/backups");
  output.warning("the file \"x\" is empty");
  output.error(NotFoundError("file 'x' does not exist", "Check the path."));
  CHECK(talk.text() ==
        "{\"warning\":{\"message\":\"the file \\\"x\\\" is empty\"}}\n"
        "{\"error\":{\"hint\":\"Check the path.\",\"kind\":\"not_found\",\"message\":\"file 'x' does not "
        "exist\"}}\n");
}

TEST_CASE("an error without a hint has no hint line, and violations have a line each") {
  const MemoryStream talk;
  Output output(talk.stream(), talk.stream(), {});
  output.error(ValidationError("record is not valid", "",
                               {{"email", "required", "is missing"}, {"age", "minimum", "is below 0"}}));
  CHECK(talk.text() == "nerve-db: error: record is not valid\n  email: is missing\n  age: is below 0\n");
}

TEST_CASE("with --json an error is one line of JSON on stderr") {
  const MemoryStream data;
  const MemoryStream talk;
  Output output(data.stream(), talk.stream(), {.json = true});
  output.error(NotFoundError("file 'x' does not exist", "Check the path."));
  CHECK(data.text().empty());
  const std::string text = talk.text();
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(
      Json::parse(text) ==
      Json::parse(
          R"({"error": {"kind": "not_found", "message": "file 'x' does not exist", "hint": "Check the path."}})"));
}

TEST_CASE("with --json violations are listed in the error") {
  const MemoryStream talk;
  Output output(talk.stream(), talk.stream(), {.json = true});
  output.error(ValidationError("record is not valid", "Mend it.", {{"email", "required", "is missing"}}));
  CHECK(Json::parse(talk.text()) ==
        Json::parse(R"({"error": {"kind": "invalid", "message": "record is not valid",
      "hint": "Mend it.", "violations": [{"field": "email", "rule": "required", "message": "is missing"}]}})"));
}

TEST_CASE(
    "what is wrong with one of many inputs is told when quiet too, and with --json in the document only") {
  const MemoryStream data;
  const MemoryStream talk;
  const Violation found{"email", "at_sign", "has no @"};
  Output(data.stream(), talk.stream(), {.quiet = true}).violation("line 7", found);
  CHECK(talk.text() == "line 7: email has no @ (rule at_sign)\n");
  const MemoryStream json_talk;
  Output(data.stream(), json_talk.stream(), {.json = true}).violation("line 7", found);
  CHECK(json_talk.text().empty());
  CHECK(data.text().empty());
}

TEST_CASE("a list in JSON is written item by item and is one document") {
  const MemoryStream data;
  Output output(data.stream(), data.stream(), {.json = true});
  JsonList list(output, "results");
  CHECK(data.text().empty());
  list.add({{"a", 1}});
  CHECK(data.text() == "{\"results\": [\n  {\"a\":1}");
  list.add("x");
  list.finish({{"checked", 2}});
  CHECK(Json::parse(data.text()) == Json::parse(R"({"results": [{"a": 1}, "x"], "checked": 2})"));
  const MemoryStream empty;
  Output output_of_nothing(empty.stream(), empty.stream(), {.json = true});
  JsonList(output_of_nothing, "results").finish({{"checked", 0}});
  CHECK(empty.text() == "{\"results\": [], \"checked\": 0}\n");
}

TEST_CASE("text that the program made itself is written as it is") {
  const MemoryStream data;
  Output output(data.stream(), data.stream(), {});
  output.text("complete -F _nerve\n\tx");
  CHECK(data.text() == "complete -F _nerve\n\tx");
}

TEST_CASE("progress is quiet with --quiet and --json, and knows whether talk is a terminal") {
  const MemoryStream data;
  PseudoTerminal terminal(80);
  CHECK(Output(data.stream(), terminal.stream(), {}).progress(Progress::Unit::bytes).terminal);
  CHECK(Output(data.stream(), terminal.stream(), {}).progress(Progress::Unit::bytes).enabled);
  CHECK_FALSE(Output(data.stream(), data.stream(), {}).progress(Progress::Unit::bytes).terminal);
  CHECK_FALSE(
      Output(data.stream(), terminal.stream(), {.json = true}).progress(Progress::Unit::bytes).enabled);
  CHECK_FALSE(
      Output(data.stream(), terminal.stream(), {.quiet = true}).progress(Progress::Unit::bytes).enabled);
}

TEST_CASE("output that finds no space is an error in the end") {
  std::FILE* full = std::fopen("/dev/full", "w");
  REQUIRE(full != nullptr);
  CHECK(finish_refusal(full) == "cannot write the output: no space left on its device");
  std::fclose(full);
}

TEST_CASE("output that nobody reads any more is an error in the end, also when it fails long before") {
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  struct sigaction before {};
  REQUIRE(sigaction(SIGPIPE, &ignored, &before) == 0);
  for (const bool early : {false, true}) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    std::FILE* stream = fdopen(ends[1], "w");
    // Without a buffer the very write fails, and a flush would report nothing.
    if (early) std::setvbuf(stream, nullptr, _IONBF, 0);
    CHECK(finish_refusal(stream) == "cannot write the output: the program that reads it has ended");
    std::fclose(stream);
  }
  sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("output that was written is no error") {
  const MemoryStream data;
  CHECK(finish_refusal(data.stream()) == "it was written");
}

}  // namespace nerve
