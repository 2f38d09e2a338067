// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/query_log.h"

#include "support/engine.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/core/error.h"

#include <sys/stat.h>

#include <fstream>
#include <string>
#include <thread>

using namespace nerve;
using namespace std::chrono_literals;

namespace {

const db::QueryStatistics& find(const std::vector<db::QueryStatistics>& all, std::string_view words) {
  for (const auto& one : all) {
    if (one.sql.find(words) != std::string::npos) return one;
  }
  throw std::runtime_error("no such statement in the log");
}

}  // namespace

CONFORMANCE_TEST(
    "every statement is counted under one fingerprint, whatever its values, literals and spaces") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute("CREATE TABLE t (id int)");
    for (int id = 0; id < 10; ++id) transaction.execute("INSERT INTO t(id) VALUES (:id)", {{"id", id}});
  });
  database->read([](db::Transaction& transaction) {
    transaction.each<int>("SELECT id FROM t WHERE id < 5", {}, [](int) {});
    transaction.each<int>("SELECT id\n  FROM t -- half\n WHERE id < 7", {}, [](int) {});
    CHECK_THROWS_AS(transaction.savepoint([&] { transaction.one<int>("SELECT id FROM t WHERE id < 3"); }),
                    DatabaseError);
  });
  const auto all = database->query_log().snapshot();
  const auto& insert = find(all, "INSERT INTO t");
  CHECK(insert.calls == 10);
  CHECK(insert.rows == 10);
  CHECK(insert.failures == 0);
  const auto& select = find(all, "SELECT id FROM t WHERE id < ?");
  CHECK(select.calls == 3);
  CHECK(select.rows == 5 + 7);
  CHECK(select.failures == 1);
  CHECK(select.fingerprint.size() == 16);
  CHECK(select.max >= select.average());
  CHECK(select.total >= select.max);
  CHECK(select.p95 <= select.max);
}

CONFORMANCE_TEST("a bulk insert is one entry with its rows") {
  START_ENGINE(engine);
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute("CREATE TABLE t (id int)");
    auto bulk = transaction.bulk_insert("t", {"id"});
    for (int id = 0; id < 100; ++id) bulk.add(id);
    bulk.finish();
  });
  const auto all = database->query_log().snapshot();
  CHECK(find(all, "bulk insert into").calls == 1);
  CHECK(find(all, "bulk insert into").rows == 100);
}

TEST_CASE("total, maximum and p95 follow from the recorded times") {
  db::QueryLog log;
  auto& entry = log.entry("SELECT 1");
  for (int ms = 1; ms <= 100; ++ms) entry.record(std::chrono::milliseconds(ms), 2, ms > 98, 91ms);
  const auto one = log.snapshot().at(0);
  CHECK(one.calls == 100);
  CHECK(one.rows == 200);
  CHECK(one.failures == 2);
  CHECK(one.slow_calls == 10);
  CHECK(one.total == 5050ms);
  CHECK(one.max == 100ms);
  CHECK(one.average() == 50500us);
  CHECK(one.p95 >= 95ms);  // an upper bound that is at most 19 % above
  CHECK(one.p95 <= 95ms * 1.19);
}

TEST_CASE("a time of any length falls into a class whose bound is not below it") {
  db::QueryLog log;
  for (const std::int64_t ns : {0L, 1L, 3L, 4L, 5L, 7L, 8L, 1000L, 1'000'000L, 60'000'000'000L}) {
    log.clear();
    auto& entry = log.entry("SELECT 1");
    entry.record(std::chrono::nanoseconds(ns), 0, false, 1s);
    entry.record(std::chrono::nanoseconds(ns), 0, false, 1s);
    CHECK(log.snapshot().at(0).p95.count() == ns);  // never above the maximum
  }
}

TEST_CASE("the slow ones are those over the threshold, sorted as asked") {
  db::QueryLog log;
  log.set_slow_threshold(50ms);
  log.entry("fast often").record(1ms, 0, false, log.slow_threshold());
  for (int i = 0; i < 100; ++i) log.entry("fast often").record(1ms, 0, false, log.slow_threshold());
  log.entry("slow once").record(60ms, 0, false, log.slow_threshold());
  CHECK(log.snapshot(db::QueryLog::Order::total).at(0).sql == "fast often");
  CHECK(log.snapshot(db::QueryLog::Order::max).at(0).sql == "slow once");
  CHECK(log.snapshot(db::QueryLog::Order::calls).at(0).sql == "fast often");
  CHECK(log.snapshot(db::QueryLog::Order::average, 1).size() == 1);
  const auto slow = log.snapshot(db::QueryLog::Order::total, 10, true);
  REQUIRE(slow.size() == 1);
  CHECK(slow[0].sql == "slow once");
  log.clear();
  CHECK(log.snapshot().empty());
}

TEST_CASE("the log is bounded: further statements are counted together") {
  db::QueryLog log;
  for (std::size_t i = 0; i < db::QueryLog::fingerprints_max + 50; ++i) {
    log.entry("SELECT " + std::string(1 + i / 26, 'x') + std::to_string(i)).record(1ms, 0, false, 1s);
  }
  const auto all = log.snapshot(db::QueryLog::Order::calls, 10'000);
  CHECK(all.size() == db::QueryLog::fingerprints_max + 1);
  CHECK(all[0].sql == "(other)");
  CHECK(all[0].calls == 50);
}

TEST_CASE("several programs add to one file and none of their counts is lost") {
  const test::TempFolder folder;
  const auto file = folder / "queries.json";
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        db::QueryLog log;
        log.entry("SELECT shared").record(2ms, 3, false, 1ms);
        log.merge_into(file);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  db::QueryLog log;
  log.load(file);
  const auto one = log.snapshot().at(0);
  CHECK(one.calls == 40);
  CHECK(one.rows == 120);
  CHECK(one.slow_calls == 40);
  CHECK(one.total == 80ms);
  CHECK(one.p95 == 2ms);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a removed log begins anew") {
  const test::TempFolder folder;
  const auto file = folder / "queries.json";
  db::QueryLog log;
  log.entry("SELECT 1").record(1ms, 0, false, 1s);
  log.merge_into(file);
  db::QueryLog::remove_file(file);
  CHECK_THROWS_AS(db::QueryLog().load(file), NotFoundError);
  log.merge_into(file);
  db::QueryLog again;
  again.load(file);
  CHECK(again.snapshot().at(0).calls == 1);
}

TEST_CASE("a file that is no query log is refused and left as it is") {
  const test::TempFolder folder;
  const auto file = folder / "queries.json";
  for (const std::string content : {"", "not json", "{}", R"({"nerve_query_log": 2, "statements": []})",
                                    R"({"nerve_query_log": 1, "statements": [{"sql": 5}]})"}) {
    std::ofstream(file) << content;
    db::QueryLog log;
    log.entry("SELECT 1").record(1ms, 0, false, 1s);
    CHECK_THROWS_AS(log.merge_into(file), ValidationError);
    CHECK_THROWS_AS(db::QueryLog().load(file), ValidationError);
    CHECK(test::bytes_of(file) == content);
  }
  CHECK_THROWS_AS(db::QueryLog().load(folder / "missing.json"), NotFoundError);
}
