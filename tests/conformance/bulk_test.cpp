// SPDX-License-Identifier: Apache-2.0
#include "support/engine.h"

#include "nerve/core/error.h"
#include "nerve/db/batch_insert.h"

#include <string>
#include <vector>

using namespace nerve;

namespace {

void create_people(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(
        test::with_types("CREATE TABLE people (id {{num}} PRIMARY KEY, name {{text}} NOT NULL, "
                         "score {{real}}, active {{bool}}, raw {{bytes}}) {{strict}}",
                         transaction.dialect()));
  });
}

int count_people(db::Database& database) {
  return database.read(
      [](db::Transaction& transaction) { return transaction.one<int>("SELECT count(*) FROM people"); });
}

std::vector<db::Value> person(std::int64_t id, const char* name) {
  return {db::Value::integer(id), name == nullptr ? db::Value() : db::Value::owned_text(name)};
}

}  // namespace

CONFORMANCE_TEST("a bulk insert carries every type and every character unchanged") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_people(*database);
  const std::string odd = "tab\there\nnew\\line \\N \\. \r 'quotes' \"double\" Ω🎉";
  const Bytes raw{std::byte{0}, std::byte{9}, std::byte{10}, std::byte{92}, std::byte{255}};
  database->write([&](db::Transaction& transaction) {
    auto bulk = transaction.bulk_insert("people", {"id", "name", "score", "active", "raw"});
    bulk.add(std::int64_t{1} << 40, odd, 0.1, true, raw);
    bulk.add(2, "", std::optional<double>(), false, nullptr);
    CHECK(bulk.finish() == 2);
  });
  database->read([&](db::Transaction& transaction) {
    const auto [name, score, active, back] = transaction.one<std::string, double, bool, Bytes>(
        "SELECT name, score, active, raw FROM people WHERE id > 2");
    CHECK(name == odd);
    CHECK(score == 0.1);
    CHECK(active);
    CHECK(back == raw);
    CHECK(transaction.one<std::string, std::optional<double>, bool, std::optional<Bytes>>(
              "SELECT name, score, active, raw FROM people WHERE id = 2") ==
          std::tuple<std::string, std::optional<double>, bool, std::optional<Bytes>>("", std::nullopt, false,
                                                                                     std::nullopt));
  });
}

CONFORMANCE_TEST("a bulk insert of many rows keeps them all, and other statements go on after it") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_people(*database);
  database->write([](db::Transaction& transaction) {
    auto bulk = transaction.bulk_insert("people", {"id", "name"});
    const std::string name(100, 'x');
    for (int id = 0; id < 20'000; ++id) bulk.add(id, name);
    CHECK(bulk.finish() == 20'000);
    CHECK(transaction.one<int>("SELECT count(*) FROM people") == 20'000);
  });
}

CONFORMANCE_TEST("a bulk insert with one wrong row keeps none") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_people(*database);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    auto bulk = transaction.bulk_insert("people", {"id", "name"});
    bulk.add(1, "a");
    bulk.add(1, "again");
    bulk.add(2, "b");
    bulk.finish();
  }),
                  DatabaseError);
  CHECK(count_people(*database) == 0);
  database->write([](db::Transaction& transaction) {
    transaction.execute("INSERT INTO people(id, name) VALUES (1, 'x')");
  });
}

CONFORMANCE_TEST("an abandoned bulk insert can only be rolled back") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_people(*database);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    auto bulk = transaction.bulk_insert("people", {"id", "name"});
    bulk.add(1, "a");
  }),
                  TransactionError);
  database->write([](db::Transaction& transaction) {
    CHECK_THROWS_AS(transaction.savepoint([&] {
      auto bulk = transaction.bulk_insert("people", {"id", "name"});
      bulk.add(2, "b");
      throw std::runtime_error("enough");
    }),
                    std::runtime_error);
    transaction.execute("INSERT INTO people(id, name) VALUES (3, 'c')");
  });
  CHECK(count_people(*database) == 1);
}

CONFORMANCE_TEST("a row with the wrong number of values is refused") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_people(*database);
  database->write([](db::Transaction& transaction) {
    transaction.savepoint([&] {
      auto bulk = transaction.bulk_insert("people", {"id", "name"});
      CHECK_THROWS_AS(bulk.add(1), ValidationError);
      bulk.add(1, "a");
      CHECK(bulk.finish() == 1);
    });
  });
}

CONFORMANCE_TEST("a batch insert counts all rows and rejects exactly the wrong ones, with reasons") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_people(*database);
  std::vector<std::vector<db::Value>> rows;
  rows.reserve(2'501);
  for (int id = 0; id < 2'500; ++id) rows.push_back(person(id, "name"));
  rows[7] = person(3, "same key as row 3");
  rows[1'200] = person(1'200, nullptr);
  rows[2'499] = {db::Value::integer(1)};
  rows.push_back({db::Value::integer(9'000), db::Value::owned_text(std::string("not \xff utf-8"))});
  const db::BatchReport report = database->write([&](db::Transaction& transaction) {
    return db::BatchInsert("people", {"id", "name"}).run(transaction, rows);
  });
  CHECK(report.total == 2'501);
  CHECK(report.inserted == 2'497);
  REQUIRE(report.rejected.size() == 4);
  CHECK(report.rejected[0].index == 7);
  CHECK(report.rejected[0].kind == ErrorKind::conflict);
  CHECK(report.rejected[1].index == 1'200);
  CHECK(report.rejected[1].kind == ErrorKind::invalid);
  CHECK(report.rejected[2].index == 2'499);
  CHECK(report.rejected[3].index == 2'500);
  for (const auto& rejected : report.rejected) CHECK_FALSE(rejected.reason.empty());
  CHECK(count_people(*database) == 2'497);
}

CONFORMANCE_TEST("a batch insert reads its rows from a stream") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_people(*database);
  int next_id = 0;
  const auto report = database->write([&](db::Transaction& transaction) {
    next_id = 0;
    return db::BatchInsert("people", {"id", "name"}, 100).run(transaction, [&](std::vector<db::Value>& row) {
      if (next_id == 1'050) return false;
      row = person(next_id++, "streamed");
      return true;
    });
  });
  CHECK(report.inserted == 1'050);
  CHECK(report.rejected.empty());
  CHECK(count_people(*database) == 1'050);
}
