// SPDX-License-Identifier: Apache-2.0
// Goal: stream() gives what each() gives, with a bounded part of it in memory, and leaves nothing open
// whatever its callback does.
// Method: each claim on both engines; on PostgreSQL also in sessions that a proxy shares, and the server is
// asked for its cursors.
#include "support/effort.h"
#include "support/engine.h"
#include "support/pooler.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

using namespace nerve;
using db::Cell;
using db::ValueType;

namespace {

constexpr int parcel_count = 2'500;  // several portions
constexpr const char* select_parcels = "SELECT id, label, weight FROM parcels WHERE id >= :first ORDER BY id";

/// Every tenth parcel has no weight.
void create_parcels(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    transaction.execute(test::with_types(
        "CREATE TABLE parcels (id {{num}} PRIMARY KEY, label {{text}} NOT NULL, weight {{real}}) {{strict}}",
        transaction.dialect()));
    transaction.execute(
        test::with_types("CREATE TABLE seen (id {{num}} PRIMARY KEY) {{strict}}", transaction.dialect()));
    auto bulk = transaction.bulk_insert("parcels", {"id", "label", "weight"});
    for (int id = 0; id < parcel_count; ++id) {
      bulk.add(id, "no. " + std::to_string(id), id % 10 == 0 ? std::nullopt : std::optional(id / 2.0));
    }
    bulk.finish();
  });
}

std::int64_t stream_ids(db::Transaction& transaction, std::vector<std::int64_t>& ids) {
  return transaction.stream<std::int64_t, std::string_view, std::optional<double>>(
      select_parcels, {{"first", 0}},
      [&](std::int64_t id, std::string_view /*label*/, std::optional<double> /*weight*/) {
        ids.push_back(id);
      });
}

bool are_all_parcels(const std::vector<std::int64_t>& ids) {
  if (ids.size() != parcel_count) return false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

/// The cursors that the transaction has open; SQLite has none.
int cursors_open(db::Transaction& transaction) {
  if (transaction.dialect() == db::Dialect::sqlite) return 0;
  return transaction.one<int>("SELECT count(*) FROM pg_cursors WHERE name <> ''");
}

int seen_count(db::Transaction& transaction) {
  return transaction.one<int>("SELECT count(*) FROM seen");
}

void note_seen(db::Transaction& transaction, std::int64_t id) {
  transaction.execute("INSERT INTO seen(id) VALUES (:id)", {{"id", id}});
}

void check_same_as_each(db::Database& database) {
  using Parcel = std::tuple<std::int64_t, std::string, std::optional<double>>;
  std::vector<Parcel> by_each;
  std::vector<Parcel> by_stream;
  database.read([&](db::Transaction& transaction) {
    by_each.clear();
    by_stream.clear();
    const auto into = [](std::vector<Parcel>& all) {
      return [&all](std::int64_t id, std::string label, std::optional<double> weight) {
        all.emplace_back(id, std::move(label), weight);
      };
    };
    transaction.each<std::int64_t, std::string, std::optional<double>>(select_parcels, {{"first", 100}},
                                                                       into(by_each));
    CHECK(transaction.stream<std::int64_t, std::string, std::optional<double>>(
              select_parcels, {{"first", 100}}, into(by_stream)) == parcel_count - 100);
    CHECK(cursors_open(transaction) == 0);
  });
  CHECK(by_each == by_stream);
}

/// Other statements while rows come: reads, writes, a stream of the same text, a bulk insert, savepoints of
/// which some are undone.
void check_other_statements(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    std::int64_t inner = 0;
    const std::int64_t rows = transaction.stream<std::int64_t>(
        "SELECT id FROM parcels WHERE id < :end ORDER BY id", {{"end", 600}}, [&](std::int64_t id) {
          if (id % 100 != 0) return;
          inner += transaction.stream<std::int64_t>("SELECT id FROM parcels WHERE id < :end ORDER BY id",
                                                    {{"end", 600}}, [](std::int64_t) {});
          transaction.savepoint([&] { note_seen(transaction, id); });
          CHECK_THROWS_AS(transaction.savepoint([&] { note_seen(transaction, id); }), DatabaseError);
          auto bulk = transaction.bulk_insert("seen", {"id"});
          bulk.add(10'000 + id);
          CHECK(bulk.finish() == 1);
        });
    CHECK(rows == 600);
    CHECK(inner == 6 * 600);
    CHECK(seen_count(transaction) == 12);
    CHECK(cursors_open(transaction) == 0);
    transaction.execute("DELETE FROM seen");
  });
}

void check_ends(db::Database& database) {
  database.write([](db::Transaction& transaction) {
    int rows = 0;
    CHECK(transaction.stream<std::int64_t>("SELECT id FROM parcels ORDER BY id", {},
                                           [&](std::int64_t) { return ++rows < 70; }) == 70);
    CHECK(cursors_open(transaction) == 0);
    CHECK_THROWS_AS(transaction.savepoint([&] {
      transaction.stream<std::int64_t>("SELECT id FROM parcels ORDER BY id", {}, [&](std::int64_t id) {
        note_seen(transaction, id);
        if (id == 60) throw std::runtime_error("enough");
      });
    }),
                    std::runtime_error);
    CHECK(cursors_open(transaction) == 0);
    // The callback's own failing statement, and one of the rows.
    CHECK_THROWS_AS(transaction.savepoint([&] {
      transaction.stream<std::int64_t>("SELECT id FROM parcels ORDER BY id", {},
                                       [&](std::int64_t) { note_seen(transaction, 1); });
    }),
                    DatabaseError);
    CHECK_THROWS_AS(transaction.savepoint([&] {
      transaction.stream<bool>("SELECT id FROM parcels ORDER BY id", {}, [](bool) {});
    }),
                    DatabaseError);
    CHECK(cursors_open(transaction) == 0);
    std::vector<std::int64_t> ids;
    transaction.savepoint([&] { stream_ids(transaction, ids); });
    CHECK(are_all_parcels(ids));
    CHECK(seen_count(transaction) == 0);
  });
}

}  // namespace

CONFORMANCE_TEST("stream gives the rows that each gives, in read and in write") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_parcels(*database);
  check_same_as_each(*database);
  std::vector<std::int64_t> ids;
  CHECK(database->write([&](db::Transaction& transaction) { return stream_ids(transaction, ids); }) ==
        parcel_count);
  CHECK(are_all_parcels(ids));
  CHECK(database->read([](db::Transaction& transaction) {
    return transaction.stream<int>("SELECT id FROM parcels WHERE id < :end", {{"end", 0}}, [](int) {});
  }) == 0);
}

CONFORMANCE_TEST("parameters of a stream are bound, whatever they hold") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_parcels(*database);
  const std::string odd = "'; DROP TABLE parcels; -- $1 :x \\";
  database->write([&](db::Transaction& transaction) {
    transaction.execute("INSERT INTO parcels(id, label) VALUES (9000, :label)", {{"label", odd}});
    const auto count = [&](const std::optional<std::string>& label, int least) {
      return transaction.stream<std::string>(
          "SELECT label FROM parcels WHERE label = :label AND id >= :least AND id + 1 > :least",
          {{"least", least}, {"label", label}}, [&](const std::string& found) { CHECK(found == label); });
    };
    CHECK(count(odd, 9000) == 1);
    CHECK(count(odd, 9001) == 0);
    CHECK(count(std::nullopt, 0) == 0);
    CHECK(count("no. 7", 0) == 1);
  });
}

CONFORMANCE_TEST("other statements of the transaction run while a stream is read") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_parcels(*database);
  check_other_statements(*database);
}

CONFORMANCE_TEST("a stream that ends early or fails leaves nothing open, and a savepoint mends it") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_parcels(*database);
  check_ends(*database);
}

CONFORMANCE_TEST("a stream that fails outside of a savepoint ends the transaction") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_parcels(*database);
  CHECK_THROWS_AS(database->write([](db::Transaction& transaction) {
    note_seen(transaction, 1);
    transaction.stream<std::int64_t>("SELECT id FROM parcels ORDER BY id", {},
                                     [&](std::int64_t) { note_seen(transaction, 1); });
  }),
                  DatabaseError);
  CHECK(database->read(seen_count) == 0);
  check_same_as_each(*database);
}

CONFORMANCE_TEST("a stream is counted once, with its rows") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_parcels(*database);
  database->query_log().clear();
  database->read([](db::Transaction& transaction) {
    std::vector<std::int64_t> ids;
    stream_ids(transaction, ids);
  });
  const auto all = database->query_log().snapshot();
  REQUIRE(all.size() == 1);
  CHECK(all[0].sql == "SELECT id, label, weight FROM parcels WHERE id >= :first ORDER BY id");
  CHECK(all[0].calls == 1);
  CHECK(all[0].rows == parcel_count);
  CHECK(all[0].failures == 0);
}

CONFORMANCE_TEST("only a query that changes nothing is streamed") {
  START_ENGINE(engine);
  const auto database = engine.open();
  create_parcels(*database);
  std::vector<const char*> statements{"INSERT INTO seen(id) VALUES (1) RETURNING id",
                                      "DELETE FROM parcels RETURNING id",
                                      "UPDATE parcels SET id = id RETURNING id"};
  // On SQLite a change stands at the end of such a statement only.
  if (database->dialect() == db::Dialect::postgresql) {
    statements.push_back("WITH gone AS (DELETE FROM parcels RETURNING id) SELECT id FROM gone");
  }
  for (const char* sql : statements) {
    INFO(sql);
    try {
      database->write([&](db::Transaction& transaction) { transaction.stream<int>(sql, {}, [](int) {}); });
      FAIL("streamed");
    } catch (const DatabaseError& error) {
      CHECK(error.kind() == ErrorKind::invalid);
      CHECK(std::string(error.what()) == "a statement that is no query, or changes rows, cannot be streamed");
    }
  }
  check_same_as_each(*database);
}

CONFORMANCE_TEST("rows of any size are streamed") {
  START_ENGINE(engine);
  const auto database = engine.open();
  constexpr std::array sizes{10UL, 700'000UL, 0UL, 3'000'000UL};
  constexpr int rows = 120;
  database->write([&](db::Transaction& transaction) {
    transaction.execute(test::with_types(
        "CREATE TABLE blobs (id {{num}} PRIMARY KEY, octets {{bytes}}) {{strict}}", transaction.dialect()));
    auto bulk = transaction.bulk_insert("blobs", {"id", "octets"});
    for (int id = 0; id < rows; ++id) {
      // Small ones first, so that the portions have grown when the large ones come.
      const std::size_t size = id < 100 ? 10 : sizes.at(static_cast<std::size_t>(id) % sizes.size());
      bulk.add(id, Bytes(size, static_cast<std::byte>(id)));
    }
    bulk.finish();
  });
  std::size_t octets = 0;
  bool is_as_written = true;
  database->read([&](db::Transaction& transaction) {
    db::Statement statement = transaction.prepare("SELECT id, octets FROM blobs ORDER BY id");
    const std::array types{ValueType::integer, ValueType::bytes};
    CHECK(statement.stream_cells({}, types, [&](std::span<const Cell> cells) {
      octets += cells[1].octets.size();
      const auto expected = static_cast<char>(cells[0].integer);
      is_as_written = is_as_written &&
                      std::ranges::all_of(cells[1].octets, [&](char octet) { return octet == expected; });
    }) == rows);
    CHECK(statement.each_cells({}, types, [](std::span<const Cell>) { return false; }) == 1);
  });
  CHECK(octets == 100 * 10 + 5 * (10 + 700'000 + 3'000'000));
  CHECK(is_as_written);
}

CONFORMANCE_TEST("as many rows as there are come through a stream") {
  START_ENGINE(engine);
  const auto database = engine.open();
  const std::int64_t count = test::scaled<std::int64_t>(test::rows_in_ci, 1'000'000);
  std::int64_t sum = 0;
  const std::int64_t rows = database->read([&](db::Transaction& transaction) {
    return transaction.stream<std::int64_t>(
        "WITH RECURSIVE numbers(n) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n "
        "< "
        ":count) SELECT n FROM numbers",
        {{"count", count}}, [&](std::int64_t number) { sum += number; });
  });
  CHECK(rows == count);
  CHECK(sum == count * (count + 1) / 2);
}

TEST_CASE("PostgreSQL gives a stream in portions, and runs its query only as far as it is read") {
  if (test::Postgresql::is_waived()) return;
  const test::Postgresql engine;
  const auto database = engine.open();
  database->write([](db::Transaction& transaction) {
    transaction.execute("CREATE SEQUENCE steps");
    int rows = 0;
    transaction.stream<std::int64_t>(
        "SELECT nextval('steps') FROM generate_series(1, 100000)", {}, [&](std::int64_t step) {
          ++rows;
          CHECK(transaction.one<std::int64_t>("SELECT last_value FROM steps") - step < 1000);
          return rows < 3000;
        });
    CHECK(transaction.one<std::int64_t>("SELECT last_value FROM steps") < 5000);
  });
}

TEST_CASE("streams work in a session that a proxy shares") {
  if (test::Postgresql::is_waived() || !test::Pooler::is_installed()) return;
  const test::Postgresql engine;
  create_parcels(*engine.open());
  const test::Pooler pooler(test::PostgresServer::shared());
  const auto database = open_database(pooler.url(engine.name()));
  check_same_as_each(*database);
  check_other_statements(*database);
  check_ends(*database);
  // The next client of the one connection meets no cursor, and opens its own of the same name.
  const auto next = open_database(pooler.url(engine.name()));
  check_same_as_each(*next);
  CHECK(next->read(cursors_open) == 0);
}
