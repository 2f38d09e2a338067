// SPDX-License-Identifier: Apache-2.0
//
// Goal: each hard feature of SQLite becomes exactly what the documentation says, or the report says exactly
// what does not. Method: small databases, one feature each, are data in torture/*.txt, with the schema and
// the rows that the server's catalogue must show, and the lines of the report.
#include "convert/torture.h"

#include "support/postgres_server.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/convert/convert.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string>

using namespace nerve::convert;
using namespace nerve::test;

namespace {

std::string convert_case(const TortureCase& one, const std::filesystem::path& folder,
                         const std::string& url) {
  clear_target(url);
  const auto source = folder / "source.db";
  ConvertOptions options;
  options.rejects = folder / "rejects.jsonl";
  std::filesystem::remove(source);
  std::filesystem::remove(options.rejects);
  make_source(source, one.script);
  const ConvertReport report = convert(source, url, options);
  for (const TableReport& table : verify_conversion(source, url, options)) {
    CAPTURE(table.source);
    CHECK(table.is_equal);
  }
  return describe_schema(url) + describe_report(report, options.rejects);
}

void check_cases(const std::string& theme, std::size_t cases_min) {
  if (PostgresServer::is_waived()) return;
  const std::string url = PostgresServer::shared().create_database("torture_" + theme);
  const TempFolder scratch;
  std::set<std::string> names;
  const auto file = std::filesystem::path(NERVE_SOURCE_DIR) / "tests/convert/torture" / (theme + ".txt");
  for (const TortureCase& one : read_cases(file)) {
    CAPTURE(one.name);
    CHECK(names.insert(one.name).second);
    std::string outcome;
    CHECK_NOTHROW(outcome = convert_case(one, scratch.path(), url));
    CHECK(outcome == one.outcome);
  }
  CHECK(names.size() >= cases_min);
}

}  // namespace

TEST_CASE("each value of a hard type arrives as it is, or the report names it") {
  check_cases("types", 51);
}

TEST_CASE("each name arrives, and no two of them meet") {
  check_cases("names", 13);
}

TEST_CASE("each key, constraint, index and default arrives, or the report names it") {
  check_cases("constraints", 37);
}

TEST_CASE("each object arrives, or the report names it") {
  check_cases("objects", 30);
}
