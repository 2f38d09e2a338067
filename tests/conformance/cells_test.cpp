// SPDX-License-Identifier: Apache-2.0
// Rows whose columns are known at run time only.
#include "support/engine.h"

#include "nerve/core/error.h"

#include <array>
#include <string>
#include <vector>

using namespace nerve;
using db::Cell;
using db::ValueType;

namespace {

constexpr std::array cell_types{ValueType::integer, ValueType::real, ValueType::boolean, ValueType::text,
                                ValueType::bytes};
constexpr const char* select_samples = "SELECT i, r, b, t, o FROM samples WHERE i >= :first ORDER BY i";

/// One row with a value in each column, and one with NULL in all but the key.
void create_samples(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(
        test::with_types("CREATE TABLE samples (i {{num}} PRIMARY KEY, r {{real}}, b {{bool}}, t {{text}}, o "
                         "{{bytes}}) {{strict}}",
                         transaction.dialect()));
    transaction.execute("INSERT INTO samples(i, r, b, t, o) VALUES (:i, :r, :b, :t, :o)",
                        {{"i", std::int64_t{1} << 40},
                         {"r", 0.1},
                         {"b", true},
                         {"t", "Ω 'x'"},
                         {"o", Bytes{std::byte{0}, std::byte{255}}}});
    transaction.execute("INSERT INTO samples(i) VALUES (7)");
  });
}

}  // namespace

CONFORMANCE_TEST("each_cells delivers every type that is named at run time, and NULL") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_samples(*database);
  std::vector<std::vector<db::Value>> rows;
  const std::int64_t count = database->read([&](db::Transaction& transaction) {
    return transaction.each_cells(select_samples, {{"first", 0}}, cell_types,
                                  [&](std::span<const Cell> cells) {
                                    REQUIRE(cells.size() == cell_types.size());
                                    std::vector<db::Value>& row = rows.emplace_back();
                                    for (std::size_t i = 0; i < cells.size(); ++i)
                                      row.push_back(db::kept_value(cells[i], cell_types[i]));
                                  });
  });
  CHECK(count == 2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] ==
        std::vector<db::Value>{db::Value::integer(7), db::Value(), db::Value(), db::Value(), db::Value()});
  CHECK(rows[1] == std::vector<db::Value>{db::Value::integer(std::int64_t{1} << 40), db::Value::real(0.1),
                                          db::Value::boolean(true), db::Value::owned_text("Ω 'x'"),
                                          db::Value::owned_bytes(std::string("\0\xff", 2))});
}

CONFORMANCE_TEST("each_cells of a prepared statement runs again with other parameters and other types") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_samples(*database);
  database->read([](db::Transaction& transaction) {
    db::Statement statement = transaction.prepare("SELECT i, b FROM samples WHERE i >= :first ORDER BY i");
    std::int64_t sum = 0;
    const auto add = [&](std::span<const Cell> cells) { sum += cells[0].integer; };
    CHECK(statement.each_cells({{"first", 8}}, std::array{ValueType::integer, ValueType::boolean}, add) == 1);
    CHECK(sum == std::int64_t{1} << 40);
    sum = 0;
    CHECK(statement.each_cells({{"first", 0}}, std::array{ValueType::integer, ValueType::boolean}, add) == 2);
    CHECK(sum == (std::int64_t{1} << 40) + 7);
    std::string text;
    statement.each_cells({{"first", 8}}, std::array{ValueType::text, ValueType::boolean},
                         [&](std::span<const Cell> cells) { text = cells[0].octets; });
    CHECK(text == "1099511627776");
  });
}

CONFORMANCE_TEST("each_cells ends where the callback returns false, and counts the rows that it gave") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_samples(*database);
  database->read([](db::Transaction& transaction) {
    CHECK(transaction.each_cells(select_samples, {{"first", 0}}, cell_types,
                                 [](std::span<const Cell>) { return false; }) == 1);
    CHECK(transaction.one<int>("SELECT count(*) FROM samples") == 2);
  });
  for (const auto& one : database->query_log().snapshot()) {
    if (one.sql.find("SELECT i, r") == std::string::npos) continue;
    CHECK(one.calls == 1);
    CHECK(one.rows == 1);
    CHECK(one.failures == 0);
  }
}

CONFORMANCE_TEST("each_cells refuses another number of columns, and values of another type") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_samples(*database);
  const auto refused = [&](const char* sql, std::span<const ValueType> types) {
    CHECK_THROWS_AS(database->read([&](db::Transaction& transaction) {
      transaction.each_cells(sql, {}, types, [](std::span<const Cell>) {});
    }),
                    DatabaseError);
  };
  refused("SELECT i, r FROM samples", cell_types);
  refused("SELECT t FROM samples WHERE t IS NOT NULL", std::array{ValueType::integer});
  refused("SELECT i FROM samples", std::array{ValueType::bytes});
}
