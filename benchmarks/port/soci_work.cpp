// SPDX-License-Identifier: Apache-2.0
// SOCI as its manual uses it: prepared statements with bound variables. It shows how much of the port's cost
// is SOCI's.
#include "soci/soci_include.h"
#include "work.h"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <stdexcept>

namespace nerve::bench {

namespace {

class PlainSoci final : public Work {
 public:
  template <class Factory>
  PlainSoci(const Factory& factory, const std::string& connect_string, bool is_sqlite)
      : session_(factory, connect_string), is_sqlite_(is_sqlite) {
    if (!is_sqlite_) return;
    std::string mode;
    session_ << "PRAGMA journal_mode=WAL", soci::into(mode);
    session_ << "PRAGMA synchronous=FULL";
  }

  const char* name() const override { return "SOCI"; }

  void create_table() override {
    session_ << "DROP TABLE IF EXISTS events";
    session_ << (is_sqlite_
                     ? "CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, "
                       "score REAL NOT NULL, body TEXT NOT NULL) STRICT"
                     : "CREATE TABLE events (id bigint PRIMARY KEY, at text NOT NULL, kind text NOT NULL, "
                       "score double precision NOT NULL, body text NOT NULL)");
  }

  void insert(std::int64_t rows) override {
    Event row;
    long long id = 0;
    soci::statement statement =
        (session_.prepare
             << "INSERT INTO events(id, at, kind, score, body) VALUES (:id, :at, :kind, :score, :body)",
         soci::use(id, "id"), soci::use(row.at, "at"), soci::use(row.kind, "kind"),
         soci::use(row.score, "score"), soci::use(row.body, "body"));
    for (std::int64_t number = 0; number < rows; ++number) {
      if (number % batch_rows == 0) session_.begin();
      row = event(number);
      id = number;
      statement.execute(true);
      if ((number + 1) % batch_rows == 0 || number + 1 == rows) session_.commit();
    }
    if (!is_sqlite_) session_ << "ANALYZE events";
  }

  std::uint64_t read_all() override {
    Event row;
    long long id = 0;
    soci::statement statement =
        (session_.prepare << "SELECT id, at, kind, score, body FROM events ORDER BY id", soci::into(id),
         soci::into(row.at), soci::into(row.kind), soci::into(row.score), soci::into(row.body));
    std::uint64_t sum = 0;
    for (bool more = statement.execute(true); more; more = statement.fetch()) {
      sum += checksum(id, row.score, row.at.size() + row.kind.size() + row.body.size());
    }
    return sum;
  }

  std::uint64_t look_up(std::int64_t count, std::int64_t rows) override {
    session_.begin();
    Event row;
    long long id = 0;
    long long key = 0;
    soci::statement statement =
        (session_.prepare << "SELECT id, at, kind, score, body FROM events WHERE id = :key",
         soci::use(key, "key"), soci::into(id), soci::into(row.at), soci::into(row.kind),
         soci::into(row.score), soci::into(row.body));
    std::uint64_t sum = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      key = look_up_id(k, rows);
      if (!statement.execute(true)) throw std::runtime_error("row is missing");
      sum += checksum(id, row.score, row.at.size() + row.kind.size() + row.body.size());
      statement.fetch();
    }
    session_.commit();
    return sum;
  }

 private:
  soci::session session_;
  bool is_sqlite_;
};

}  // namespace

std::unique_ptr<Work> make_soci_sqlite(const std::filesystem::path& file) {
  return std::make_unique<PlainSoci>(soci::sqlite3, file.string(), true);
}

std::unique_ptr<Work> make_soci_postgresql(const std::string& conninfo) {
  return std::make_unique<PlainSoci>(soci::postgresql, conninfo, false);
}

}  // namespace nerve::bench
