// SPDX-License-Identifier: Apache-2.0
// Databases of other people: each converts, and an independent comparison, value by value, agrees with the
// report.
#include "support/postgres_server.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/convert/convert.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>

using namespace nerve::convert;
using nerve::test::PostgresServer;
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
    std::string text;
    for (const TableReport& table : report.tables) {
      CAPTURE(table.source);
      CHECK(table.is_equal);
      CHECK(table.target_rows == table.stored);
      text += fmt::format("{} {} rows {} rejected {} changed {}\n", table.source, table.rows, table.stored,
                          table.rejected, table.changed);
    }
    MESSAGE(entry.path().filename().string() << "\n" << text);
  }
  CHECK(number >= 10);
}
