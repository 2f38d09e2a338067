// SPDX-License-Identifier: Apache-2.0
//
// Goal: two runs into one schema never do one part twice, whoever comes first. Method: while the first loads
// ranges of a few rows, the second does the whole of it; both run in this process.
#include "convert/torture.h"
#include "support/effort.h"
#include "support/postgres_server.h"
#include "support/temp_folder.h"

#include "nerve/convert/convert.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

using namespace nerve::convert;
using namespace nerve::test;

namespace {

const std::string row_count = std::to_string(at_most_in_ci(rows_in_ci, 30'000));
const std::string many_rows = R"(
CREATE TABLE t (label TEXT);
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < )" +
                              row_count +
                              R"()
  INSERT INTO t SELECT 'a label of some length, number ' || i FROM n;
CREATE INDEX t_by_label ON t (label);)";
constexpr std::int64_t small_range_bytes = 100;

/// Does what it is given when loading has begun, once.
class Meanwhile final : public nerve::ProgressSink {
 public:
  explicit Meanwhile(std::function<void()> work) : work_(std::move(work)) {}
  void update(std::string_view phase, std::uint64_t /*done*/, std::uint64_t /*total*/) override {
    if (phase == "loading" && work_) std::exchange(work_, nullptr)();
  }
  bool is_done() const noexcept { return !work_; }

 private:
  std::function<void()> work_;
};

/// Ends a run as an interruption does.
struct Enough {};

}  // namespace

TEST_CASE("a run that another one takes over ends, and no row is there twice") {
  if (PostgresServer::is_waived()) return;
  for (const bool may_replace : {false, true}) {
    CAPTURE(may_replace);
    const TempFolder scratch;
    const std::filesystem::path source = scratch / "source.db";
    make_source(source, many_rows);
    PostgresServer& server = PostgresServer::shared();
    const std::string database = may_replace ? "several_replace" : "several_go_on";
    const std::string url = server.create_database(database);
    ConvertOptions options;
    options.range_bytes = small_range_bytes;
    ConvertOptions second = options;
    second.may_replace = may_replace;
    ConvertReport report;
    Meanwhile meanwhile([&] { report = convert(source, url, second); });
    CHECK_THROWS_WITH_AS(convert(source, url, options, &meanwhile),
                         "another run has taken over the conversion into schema public",
                         nerve::ConflictError);
    REQUIRE(meanwhile.is_done());
    CHECK(report.is_resumed == !may_replace);
    CHECK(std::ranges::all_of(report.tables, &TableReport::is_equal));
    CHECK(report.refused.empty());
    CHECK(server.query_text("SELECT count(*) || ' ' || count(DISTINCT label) FROM t", database) ==
          fmt::format("{0} {0}", row_count));
    CHECK(server.query_text("SELECT count(*) FROM pg_indexes WHERE tablename = 't'", database) == "1");
    CHECK(server.query_text("SELECT count(*) FROM nerve_convert.range", database) == "0");
  }
}

TEST_CASE("a conversion that was begun in parts is not gone on with as an atomic one") {
  if (PostgresServer::is_waived()) return;
  const TempFolder scratch;
  const std::filesystem::path source = scratch / "source.db";
  make_source(source, many_rows);
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("several_atomic");
  ConvertOptions options;
  options.range_bytes = small_range_bytes;
  Meanwhile stop([] { throw Enough(); });
  CHECK_THROWS_AS(convert(source, url, options, &stop), Enough);
  options.is_atomic = true;
  CHECK_THROWS_AS(convert(source, url, options), nerve::ConflictError);
  options.is_atomic = false;
  const ConvertReport report = convert(source, url, options);
  CHECK(report.is_resumed);
  CHECK(std::ranges::all_of(report.tables, &TableReport::is_equal));
  CHECK(server.query_text("SELECT count(*) FROM t", "several_atomic") == row_count);
}

TEST_CASE("a conversion that was begun in other parts is not gone on with") {
  if (PostgresServer::is_waived()) return;
  const TempFolder scratch;
  const std::filesystem::path source = scratch / "source.db";
  make_source(source, many_rows);
  PostgresServer& server = PostgresServer::shared();
  const std::string url = server.create_database("several_parts");
  ConvertOptions options;
  options.range_bytes = small_range_bytes;
  Meanwhile stop([] { throw Enough(); });
  CHECK_THROWS_AS(convert(source, url, options, &stop), Enough);
  options.range_bytes *= 2;
  CHECK_THROWS_AS(convert(source, url, options), nerve::ConflictError);
  options.may_replace = true;
  CHECK(std::ranges::all_of(convert(source, url, options).tables, &TableReport::is_equal));
  CHECK(server.query_text("SELECT count(*) FROM t", "several_parts") == row_count);
}
