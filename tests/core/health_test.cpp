// SPDX-License-Identifier: Apache-2.0
#include "support/temp_folder.h"

#include "nerve/core/error.h"
#include "nerve/health/checklist.h"
#include "nerve/health/prometheus.h"
#include "nerve/health/report.h"
#include "nerve/health/state_file.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <fstream>
#include <stdexcept>
#include <string>

using namespace nerve;
using health::Check;
using health::Checklist;
using health::Report;
using health::StateFile;
using health::Status;

namespace {

Report sample_report() {
  Report report;
  report.target = "/srv/a \"b\"\\c.db";
  report.checks.push_back({.id = "one",
                           .status = Status::ok,
                           .value = "3",
                           .threshold = "",
                           .message = "m",
                           .fix = "",
                           .number = 3,
                           .unit = "count"});
  report.checks.push_back(
      {.id = "two", .status = Status::warning, .value = "x", .threshold = "t", .message = "m", .fix = "f"});
  report.checks.push_back({.id = "three",
                           .status = Status::unknown,
                           .value = "",
                           .threshold = "",
                           .message = "m",
                           .fix = "",
                           .number = 0.25,
                           .unit = "seconds"});
  return report;
}

}  // namespace

TEST_CASE("the JSON of a check has a number and its unit where its value is a number") {
  const Json document = sample_report().to_json();
  CHECK(document.at("status") == "unknown");
  CHECK(document.at("checks").at(0) == Json{{"id", "one"},
                                            {"status", "ok"},
                                            {"value", "3"},
                                            {"threshold", ""},
                                            {"message", "m"},
                                            {"fix", ""},
                                            {"value_number", 3},
                                            {"unit", "count"}});
  CHECK_FALSE(document.at("checks").at(1).contains("value_number"));
  CHECK(document.at("checks").at(0).at("value_number").is_number_integer());
  CHECK(document.at("checks").at(2).at("value_number") == 0.25);
}

TEST_CASE("the text for Prometheus has one line a sample, and escapes labels") {
  CHECK(health::to_prometheus(sample_report()) ==
        R"(# HELP nerve_health_status Outcome of a check: 0 ok, 1 warning, 2 critical, 3 unknown.
# TYPE nerve_health_status gauge
nerve_health_status{check="one",target="/srv/a \"b\"\\c.db"} 0
nerve_health_status{check="two",target="/srv/a \"b\"\\c.db"} 1
nerve_health_status{check="three",target="/srv/a \"b\"\\c.db"} 3
# HELP nerve_health_value What a check measured, in its unit.
# TYPE nerve_health_value gauge
nerve_health_value{check="one",unit="count",target="/srv/a \"b\"\\c.db"} 3
nerve_health_value{check="three",unit="seconds",target="/srv/a \"b\"\\c.db"} 0.25
# HELP nerve_health_overall The worst outcome of all checks.
# TYPE nerve_health_overall gauge
nerve_health_overall{target="/srv/a \"b\"\\c.db"} 3
)");
  Report report;
  report.target = "two\nlines \xff";
  CHECK(health::to_prometheus(report).find("target=\"two\\nlines \\\\xff\"") == std::string::npos);
  CHECK(health::to_prometheus(report).find("\\xff") != std::string::npos);
}

TEST_CASE("the same check of two stores is told apart in text, in JSON and for Prometheus") {
  Report report;
  report.target = "/srv/a.db";
  for (const std::string store : {"core", "secure"}) {
    report.checks.push_back({.id = "one",
                             .status = Status::ok,
                             .value = "3",
                             .threshold = "",
                             .message = "m",
                             .fix = "",
                             .number = 3,
                             .unit = "count",
                             .store = store});
    CHECK(report.checks.back().name() == "one (" + store + ")");
    CHECK(report.to_json().at("checks").back().at("store") == store);
    const std::string text = health::to_prometheus(report);
    CHECK(text.find("nerve_health_status{check=\"one\",store=\"" + store + "\",target=\"/srv/a.db\"} 0\n") !=
          std::string::npos);
    CHECK(text.find("nerve_health_value{check=\"one\",store=\"" + store +
                    "\",unit=\"count\",target=\"/srv/a.db\"} 3\n") != std::string::npos);
  }
  CHECK(sample_report().checks.front().name() == "one");
  CHECK_FALSE(sample_report().to_json().at("checks").front().contains("store"));
}

TEST_CASE("a check that throws is unknown with its reason, and the next one is made") {
  Report report;
  const health::Skipped skipped = {"left out"};
  Checklist list(report, skipped);
  list.attempt("broken", []() -> Check { throw NotFoundError("it is gone", "Look for it."); });
  list.attempt("left out", []() -> Check { throw Error(ErrorKind::failure, "it is made all the same"); });
  list.attempt("foreign", []() -> Check { throw std::out_of_range("it quotes a value"); });
  list.attempt("sound", [] { return sample_report().checks.front(); });
  const std::vector<std::string_view> ids = {"left out", "also"};
  list.add_unknown(ids, "it is gone");
  REQUIRE(report.checks.size() == 4);
  CHECK(report.checks[0].status == Status::unknown);
  CHECK(report.checks[0].message == "could not be checked: it is gone");
  CHECK(report.checks[0].fix == "Look for it.");
  CHECK(health::reason_of(report.checks[0]) == "it is gone");
  CHECK(report.checks[1].status == Status::unknown);
  CHECK(report.checks[1].message.starts_with("could not be checked: unexpected failure"));
  CHECK(report.checks[1].message.find("quotes a value") == std::string::npos);
  CHECK(report.checks[2].id == "one");
  CHECK(report.checks[3].id == "also");
  CHECK_THROWS_AS(list.attempt("x", []() -> Check { throw CancelledError("interrupted"); }), CancelledError);
}

TEST_CASE("a state file gives back what was kept of each target, and is for its owner only") {
  const test::TempFolder folder;
  const StateFile file(folder / "state.json");
  CHECK_FALSE(file.find("a"));
  file.keep("a", {100, Timestamp::parse("2026-05-01T08:00:00Z")});
  file.keep("b \xff", {5, Timestamp::parse("2026-05-02T08:00:00Z")});
  file.keep("a", {18'446'744'073'709'551'615U, Timestamp::parse("2026-05-03T08:00:00Z")});
  CHECK(file.find("a")->size_bytes == 18'446'744'073'709'551'615U);
  CHECK(file.find("a")->seen_at == Timestamp::parse("2026-05-03T08:00:00Z"));
  CHECK(file.find("b \xff")->size_bytes == 5);
  CHECK_FALSE(file.find("c"));
  struct stat status {};
  REQUIRE(::stat((folder / "state.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a file that is something else is not taken for a state file, and not replaced") {
  const test::TempFolder folder;
  const StateFile file(folder / "nerve.toml");
  for (const char* text : {"[database]\n", "{}", "{\"nerve_health_state\": 2, \"targets\": {}}", "[1]",
                           "{\"nerve_health_state\": 1, \"targets\": {\"a\": 1}}"}) {
    CAPTURE(text);
    std::ofstream(folder / "nerve.toml") << text;
    CHECK_THROWS_AS(file.find("a"), ValidationError);
  }
  std::ofstream(folder / "nerve.toml") << "[database]\n";
  CHECK_THROWS_AS(file.keep("a", {1, {}}), ValidationError);
  CHECK(std::filesystem::file_size(folder / "nerve.toml") == 11);
  std::ofstream(folder / "nerve.toml").close();  // what a power failure leaves is begun anew
  CHECK_FALSE(file.find("a"));
  CHECK_NOTHROW(file.keep("a", {1, {}}));
}

TEST_CASE("of too many targets those seen last are kept") {
  const test::TempFolder folder;
  const StateFile file(folder / "state.json");
  Json targets = Json::object();
  for (std::size_t index = 0; index < StateFile::targets_max; ++index) {
    targets[std::to_string(index)] = {
        {"size_bytes", 1U},
        {"seen_at", Timestamp::from_microseconds(static_cast<std::int64_t>(index)).to_text()}};
  }
  std::ofstream(folder / "state.json") << Json{{"nerve_health_state", 1}, {"targets", targets}}.dump();
  file.keep("new", {1, Timestamp::parse("2026-05-01T08:00:00Z")});
  CHECK(file.find("new"));
  CHECK(file.find("1"));
  CHECK_FALSE(file.find("0"));
}
