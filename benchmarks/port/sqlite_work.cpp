// SPDX-License-Identifier: Apache-2.0
#include "work.h"

#include <sqlite3.h>

#include <stdexcept>

namespace nerve::bench {

namespace {

class RawSqlite final : public Work {
 public:
  explicit RawSqlite(const std::filesystem::path& file) {
    check(sqlite3_open(file.c_str(), &handle_));
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
  }
  RawSqlite(const RawSqlite&) = delete;
  RawSqlite& operator=(const RawSqlite&) = delete;
  ~RawSqlite() override { sqlite3_close(handle_); }

  const char* name() const override { return "sqlite3"; }

  void create_table() override {
    run("DROP TABLE IF EXISTS events; CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind "
        "TEXT NOT NULL, "
        "score REAL NOT NULL, body TEXT NOT NULL) STRICT");
  }

  void insert(std::int64_t rows) override {
    sqlite3_stmt* statement = prepare("INSERT INTO events(id, at, kind, score, body) VALUES (?, ?, ?, ?, ?)");
    for (std::int64_t number = 0; number < rows; ++number) {
      if (number % batch_rows == 0) run("BEGIN IMMEDIATE");
      const Event& row = event(number);
      sqlite3_bind_int64(statement, 1, number);
      sqlite3_bind_text(statement, 2, row.at.data(), static_cast<int>(row.at.size()), SQLITE_STATIC);
      sqlite3_bind_text(statement, 3, row.kind.data(), static_cast<int>(row.kind.size()), SQLITE_STATIC);
      sqlite3_bind_double(statement, 4, row.score);
      sqlite3_bind_text(statement, 5, row.body.data(), static_cast<int>(row.body.size()), SQLITE_STATIC);
      if (sqlite3_step(statement) != SQLITE_DONE) throw std::runtime_error("insert failed");
      sqlite3_reset(statement);
      if ((number + 1) % batch_rows == 0 || number + 1 == rows) run("COMMIT");
    }
    sqlite3_finalize(statement);
  }

  std::uint64_t read_all() override {
    sqlite3_stmt* statement = prepare("SELECT id, at, kind, score, body FROM events ORDER BY id");
    std::uint64_t sum = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) sum += row_checksum(statement);
    sqlite3_finalize(statement);
    return sum;
  }

  std::uint64_t look_up(std::int64_t count, std::int64_t rows) override {
    run("BEGIN");
    sqlite3_stmt* statement = prepare("SELECT id, at, kind, score, body FROM events WHERE id = ?");
    std::uint64_t sum = 0;
    for (std::int64_t k = 0; k < count; ++k) {
      sqlite3_bind_int64(statement, 1, look_up_id(k, rows));
      if (sqlite3_step(statement) != SQLITE_ROW) throw std::runtime_error("row is missing");
      sum += row_checksum(statement);
      sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    run("COMMIT");
    return sum;
  }

 private:
  static void check(int code) {
    if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errstr(code));
  }
  void run(const char* sql) { check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr));
    return statement;
  }

  /// Takes every column as a program would: text as a string of its own.
  static std::uint64_t row_checksum(sqlite3_stmt* statement) {
    const auto text = [&](int column) {
      return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, column)),
                         static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    };
    const Event row{sqlite3_column_int64(statement, 0), text(1), text(2), sqlite3_column_double(statement, 3),
                    text(4)};
    return checksum(row.id, row.score, row.at.size() + row.kind.size() + row.body.size());
  }

  sqlite3* handle_ = nullptr;
};

}  // namespace

std::unique_ptr<Work> make_raw_sqlite(const std::filesystem::path& file) {
  return std::make_unique<RawSqlite>(file);
}

}  // namespace nerve::bench
