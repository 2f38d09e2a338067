// SPDX-License-Identifier: Apache-2.0
// Goal: several writers neither fail nor overwrite each other. Method: threads on one Database, on several of
// one file, and another process that holds SQLite's lock.
#include "support/engine.h"
#include "support/process.h"

#include "nerve/core/error.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace nerve;
using namespace std::chrono_literals;

namespace {

void create_counter(db::Database& database, int value = 0) {
  database.write([&](db::Transaction& transaction) {
    transaction.execute(
        test::with_types("CREATE TABLE counters (id {{num}} PRIMARY KEY, n {{num}} NOT NULL) {{strict}}",
                         transaction.dialect()));
    transaction.execute("INSERT INTO counters(id, n) VALUES (1, :n), (2, :n)", {{"n", value}});
  });
}

int counter(db::Database& database, int id = 1) {
  return database.read([&](db::Transaction& transaction) {
    return transaction.one<int>("SELECT n FROM counters WHERE id = :id", {{"id", id}});
  });
}

/// Runs `work(index)` in `count` threads and rethrows the first error.
template <class Work>
void in_threads(int count, Work work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
  for (int index = 0; index < count; ++index) {
    threads.emplace_back([&, index] {
      try {
        work(index);
      } catch (...) {
        errors[static_cast<std::size_t>(index)] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

/// Reads the counter, locking it, then writes one more: lost updates would show in the sum.
void check_then_act(db::Transaction& transaction) {
  const int n = transaction.one<int>("SELECT n FROM counters WHERE id = 1" +
                                     std::string(db::lock_row_clause(transaction.dialect())));
  transaction.execute("UPDATE counters SET n = :n WHERE id = 1", {{"n", n + 1}});
}

}  // namespace

CONFORMANCE_TEST("four writers at once on one Database all succeed and lose no update") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_counter(*database);
  constexpr int rounds = 50;
  in_threads(4, [&](int) {
    for (int round = 0; round < rounds; ++round) database->write(check_then_act);
  });
  CHECK(counter(*database) == 4 * rounds);
}

CONFORMANCE_TEST("four writers with a Database each all succeed and lose no update") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_counter(*database);
  constexpr int rounds = 25;
  in_threads(4, [&](int) {
    const auto own = engine.open();
    for (int round = 0; round < rounds; ++round) own->write(check_then_act);
  });
  CHECK(counter(*database) == 4 * rounds);
}

CONFORMANCE_TEST("readers and a writer do not stop each other") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_counter(*database);
  std::atomic<bool> done{false};
  in_threads(4, [&](int index) {
    if (index == 0) {
      for (int round = 0; round < 100; ++round) {
        database->write([](db::Transaction& transaction) {
          transaction.execute("UPDATE counters SET n = n + 1");  // both counters in one transaction
        });
      }
      done = true;
      return;
    }
    while (!done) {
      database->read([](db::Transaction& transaction) {
        CHECK(transaction.one<int>("SELECT n FROM counters WHERE id = 1") ==
              transaction.one<int>("SELECT n FROM counters WHERE id = 2"));
      });
    }
  });
  CHECK(counter(*database) == 100);
}

CONFORMANCE_TEST("when the pool is used up, the error says so and what to do") {
  START_ENGINE(engine);
  OpenOptions options;
  options.database.pool_size = 1;
  options.database.pool_wait = 50ms;
  const auto database = engine.open(options);
  database->read([&](db::Transaction&) {
    CHECK_THROWS_WITH_AS(database->read([](db::Transaction&) {}), doctest::Contains("all 1 connections"),
                         ConnectionError);
  });
  CHECK(database->pool_status().open == 1);
  CHECK(database->pool_status().idle == 1);
}

TEST_CASE("a deadlock on PostgreSQL is tried again and both writers succeed") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  create_counter(*database);
  std::atomic<int> met{0};
  std::atomic<int> runs{0};
  in_threads(2, [&](int index) {
    database->write([&](db::Transaction& transaction) {
      ++runs;
      const int first = index == 0 ? 1 : 2;
      transaction.execute("UPDATE counters SET n = n + 1 WHERE id = :id", {{"id", first}});
      ++met;
      while (met < 2) std::this_thread::sleep_for(1ms);  // both hold their first row now
      transaction.execute("UPDATE counters SET n = n + 1 WHERE id = :id", {{"id", 3 - first}});
    });
  });
  CHECK(runs >= 3);
  CHECK(counter(*database, 1) == 2);
  CHECK(counter(*database, 2) == 2);
}

TEST_CASE("a writer waits for another process, and gives up with its remedy when that does not end") {
  const test::Sqlite engine;
  OpenOptions options;
  options.busy_timeout = 200ms;
  options.database.attempts = 2;
  const auto database = engine.open(options);
  create_counter(*database);
  const std::string path = engine.url().substr(7);
  const auto hold_lock = [&](const std::string& seconds) {
    return std::make_unique<test::Process>(
        std::vector<std::string>{"sh", "-c",
                                 "(echo 'BEGIN IMMEDIATE;'; echo .print locked; sleep " + seconds +
                                     "; echo 'COMMIT;') | sqlite3 " + path + " > " + path + ".out"});
  };
  const auto wait_until_locked = [&] {
    while (test::run_process({"grep", "-q", "locked", path + ".out"}).exit_code != 0)
      std::this_thread::sleep_for(10ms);
  };
  {
    const auto holder = hold_lock("5");
    wait_until_locked();
    try {
      database->write(check_then_act);
      FAIL("written");
    } catch (const ConnectionError& error) {
      CHECK(error.kind() == ErrorKind::unavailable);
      CHECK(std::string(error.code()).starts_with("SQLITE_BUSY"));
      CHECK_FALSE(error.hint().empty());
    }
  }
  options.busy_timeout = 10s;
  const auto patient = engine.open(options);
  test::run_process({"rm", path + ".out"});
  const auto holder = hold_lock("0.5");
  wait_until_locked();
  patient->write(check_then_act);
  CHECK(counter(*patient) == 1);
  holder->wait();
}
