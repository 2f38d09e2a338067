// SPDX-License-Identifier: Apache-2.0
#include "work.h"

#include "nerve/backends/open.h"

#include <optional>
#include <stdexcept>

namespace nerve::bench {

namespace {

class Port final : public Work {
 public:
  explicit Port(const std::string& url) : database_(open_database(url, {.create = true})) {}

  const char* name() const override { return "port"; }

  void create_table() override {
    const bool is_sqlite = database_->dialect() == db::Dialect::sqlite;
    database_->write([&](db::Transaction& transaction) {
      transaction.execute("DROP TABLE IF EXISTS events");
      transaction.execute(
          is_sqlite ? "CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, "
                      "score REAL NOT NULL, body TEXT NOT NULL) STRICT"
                    : "CREATE TABLE events (id bigint PRIMARY KEY, at text NOT NULL, kind text NOT NULL, "
                      "score double precision NOT NULL, body text NOT NULL)");
    });
  }

  void insert(std::int64_t rows) override {
    for (std::int64_t first = 0; first < rows; first += batch_rows) {
      const std::int64_t end = std::min(first + batch_rows, rows);
      database_->write([&](db::Transaction& transaction) {
        auto bulk = transaction.bulk_insert("events", {"id", "at", "kind", "score", "body"});
        for (std::int64_t number = first; number < end; ++number) {
          const Event& row = event(number);
          bulk.add(number, row.at, row.kind, row.score, row.body);
        }
        bulk.finish();
      });
    }
    if (database_->dialect() == db::Dialect::postgresql) {
      database_->write([](db::Transaction& transaction) { transaction.execute("ANALYZE events"); });
    }
  }

  std::uint64_t read_all() override {
    return database_->read([](db::Transaction& transaction) {
      std::uint64_t sum = 0;
      transaction.each<std::int64_t, std::string, std::string, double, std::string>(
          "SELECT id, at, kind, score, body FROM events ORDER BY id", {},
          [&](std::int64_t id, const std::string& at, const std::string& kind, double score,
              const std::string& body) {
            sum += checksum(id, score, at.size() + kind.size() + body.size());
          });
      return sum;
    });
  }

  /// As stores do it: the statement's text each time, found in the cache.
  std::uint64_t look_up(std::int64_t count, std::int64_t rows) override {
    return database_->read([&](db::Transaction& transaction) {
      std::uint64_t sum = 0;
      for (std::int64_t k = 0; k < count; ++k) {
        const auto [id, at, kind, score, body] =
            transaction.one<std::int64_t, std::string, std::string, double, std::string>(
                "SELECT id, at, kind, score, body FROM events WHERE id = :id", {{"id", look_up_id(k, rows)}});
        sum += checksum(id, score, at.size() + kind.size() + body.size());
      }
      return sum;
    });
  }

 private:
  std::unique_ptr<db::Database> database_;
};

}  // namespace

std::unique_ptr<Work> make_port(const std::string& url) {
  return std::make_unique<Port>(url);
}

}  // namespace nerve::bench
