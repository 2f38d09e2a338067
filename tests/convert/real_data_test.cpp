// SPDX-License-Identifier: Apache-2.0
// Databases of other people: each converts, and an independent comparison, value by value, agrees with the
// report.
#include "convert/both_sides.h"
#include "support/postgres_server.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/convert/convert.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>

using namespace nerve::convert;
using nerve::test::first_difference;
using nerve::test::PostgresServer;
using nerve::test::source_rows;
using nerve::test::target_rows;
using nerve::test::TempFolder;
using nerve::test::test_data;

TEST_CASE("each real database converts and what is called equal is equal") {
  const auto folder = test_data("sqlite");
  if (!folder) {
    MESSAGE("skipped: there is no real data");
    return;
  }
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  const TempFolder scratch;
  int number = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path().filename().string());
    const std::string url = server.create_database(fmt::format("real_{}", ++number));
    ConvertOptions options;
    options.rejects = scratch / fmt::format("rejects-{}.jsonl", number);
    const ConvertReport report = convert(entry.path(), url, options);
    CHECK(report.rejects == 0);
    REQUIRE(report.tables.size() == report.plan.tables.size());
    for (std::size_t i = 0; i < report.tables.size(); ++i) {
      CAPTURE(report.tables[i].source);
      CHECK(report.tables[i].is_equal);
      CHECK(report.tables[i].stored == report.tables[i].rows);
      CHECK(report.tables[i].target_rows == report.tables[i].rows);
      CHECK(first_difference(source_rows(entry.path(), report.plan.tables[i], url),
                             target_rows(report.plan.tables[i], url)) == "");
    }
    for (const TableReport& table : verify_conversion(entry.path(), url, options)) CHECK(table.is_equal);
  }
  CHECK(number >= 10);
}
