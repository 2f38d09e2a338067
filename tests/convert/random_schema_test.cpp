// SPDX-License-Identifier: Apache-2.0
// Goal: what a plan says is what the server takes. It refuses statements for the sake of rows only, such as
// rows that break a foreign key, and computes what SQLite computed.
//
// Method: random schemas (the same in every run) with rows; each is converted, and verified.
#include "convert/random_schema.h"

#include "convert/torture.h"
#include "support/effort.h"
#include "support/postgres_server.h"
#include "support/temp_folder.h"

#include "nerve/convert/convert.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace nerve::convert;
using namespace nerve::test;

namespace {

/// SQLSTATE class 23: a row breaks a constraint.
bool is_for_rows(const Untranslated& refused) {
  return refused.reason.find("(SQLSTATE 23") != std::string::npos;
}

}  // namespace

TEST_CASE("random schemas are taken by the server as they are planned") {
  if (PostgresServer::is_waived()) return;
  const std::string url = PostgresServer::shared().create_database("random_schemas");
  const TempFolder scratch;
  Dice dice;
  INFO("seed ", Dice::seed);
  RandomSchema schema(dice);
  const int schemas = scaled(30, 150);
  std::size_t tables = 0;
  for (int number = 0; number < schemas; ++number) {
    const auto source = scratch / "source.db";
    std::filesystem::remove(source);
    ConvertOptions options;
    options.rejects = scratch / "rejects.jsonl";
    options.may_replace = true;
    const std::vector<std::string> statements = schema.statements();
    make_source_of_valid(source, statements);
    CAPTURE(number);
    CAPTURE(fmt::format("{}", fmt::join(statements, ";\n")));
    const ConvertReport report = convert(source, url, options);
    for (const Untranslated& refused : report.refused) {
      CAPTURE(refused.reason);
      CHECK(is_for_rows(refused));
    }
    for (const TableReport& table : report.tables) {
      CAPTURE(table.source);
      CHECK(table.is_equal);
    }
    tables += report.tables.size();
  }
  MESSAGE(tables, " tables of ", schemas, " schemas");
  CHECK(tables > static_cast<std::size_t>(schemas));
}
