// SPDX-License-Identifier: Apache-2.0
#include "sample_database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace nerve::bench {
namespace {

constexpr const char* data_tables = R"(
CREATE TABLE users(id INTEGER NOT NULL, email TEXT NOT NULL, name VARCHAR(80) NOT NULL, is_active BOOLEAN NOT NULL,
  balance DECIMAL(12,2) NOT NULL, created_at TIMESTAMP NOT NULL);
CREATE TABLE security_events(id INTEGER NOT NULL, user_id INTEGER, kind TEXT NOT NULL, severity INTEGER NOT NULL,
  score REAL, at TIMESTAMP NOT NULL, detail TEXT NOT NULL);
CREATE TABLE audit_log(id INTEGER NOT NULL, user_id INTEGER NOT NULL, action TEXT NOT NULL, at TIMESTAMP NOT NULL,
  before TEXT, after TEXT, hash BLOB NOT NULL);
CREATE TABLE findings(id INTEGER NOT NULL, event_id INTEGER, title TEXT NOT NULL, cvss REAL, body TEXT NOT NULL,
  found_at TIMESTAMP NOT NULL);
CREATE TABLE event_tags(event_id INTEGER NOT NULL, tag TEXT NOT NULL, weight REAL NOT NULL);
)";

constexpr const char* whole_tables = R"(
CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL, name VARCHAR(80) NOT NULL, is_active BOOLEAN NOT NULL,
  balance DECIMAL(12,2) NOT NULL, created_at TIMESTAMP NOT NULL);
CREATE TABLE security_events(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), kind TEXT NOT NULL,
  severity INTEGER NOT NULL, score REAL, at TIMESTAMP NOT NULL, detail TEXT NOT NULL);
CREATE TABLE audit_log(id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), action TEXT NOT NULL,
  at TIMESTAMP NOT NULL, before TEXT, after TEXT, hash BLOB NOT NULL);
CREATE TABLE findings(id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES security_events(id), title TEXT NOT NULL,
  cvss REAL, body TEXT NOT NULL, found_at TIMESTAMP NOT NULL);
CREATE TABLE event_tags(event_id INTEGER NOT NULL REFERENCES security_events(id), tag TEXT NOT NULL,
  weight REAL NOT NULL, PRIMARY KEY(event_id, tag));
)";

// With the five keys, twelve.
constexpr const char* indexes = R"(
CREATE UNIQUE INDEX users_email ON users(email);
CREATE INDEX users_created_at ON users(created_at);
CREATE INDEX security_events_user ON security_events(user_id, at);
CREATE INDEX security_events_kind ON security_events(kind, severity);
CREATE INDEX audit_log_user ON audit_log(user_id);
CREATE INDEX audit_log_at ON audit_log(at DESC);
CREATE INDEX findings_event ON findings(event_id);
)";

/// Rows of each table in parts of the whole.
constexpr int users_part = 25;
constexpr int events_part = 40;
constexpr int audit_part = 24;
constexpr int findings_part = 12;
constexpr int tags_part = 20;

std::string rows_of(int count, const std::string& insert) {
  return fmt::format(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) {} FROM n;", count,
      insert);
}

std::string moment(int step) {
  return fmt::format("strftime('%Y-%m-%d %H:%M:%S', 1600000000 + i * {}, 'unixepoch')", step);
}

}  // namespace

void make_sample(const std::filesystem::path& path, int rows, SampleKind kind) {
  const auto part = [rows](int percent) {
    return static_cast<int>(static_cast<std::int64_t>(rows) * percent / 100);
  };
  const int users = rows / users_part;
  const int events = part(events_part);
  std::string sql = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;";
  sql += kind == SampleKind::whole ? whole_tables : data_tables;
  sql += rows_of(
      users,
      "INSERT INTO users SELECT i, 'user' || i || '@example.org', 'Name ' || hex(randomblob(6)), i % 7 <> 0, "
      "(abs(random()) % 10000000) / 100.0, " +
          moment(97));
  sql += rows_of(
      events,
      fmt::format("INSERT INTO security_events SELECT i, 1 + abs(random()) % {}, 'kind' || (i % 23), i % 5, "
                  "(abs(random()) % 100000) / 777.0, {}, 'event ' || hex(randomblob(60))",
                  users, moment(31)));
  sql +=
      rows_of(part(audit_part),
              fmt::format("INSERT INTO audit_log SELECT i, 1 + abs(random()) % {}, 'action' || (i % 17), {}, "
                          "CASE WHEN i % 3 THEN hex(randomblob(40)) END, hex(randomblob(50)), randomblob(32)",
                          users, moment(53)));
  sql += rows_of(
      part(findings_part),
      fmt::format("INSERT INTO findings SELECT i, 1 + abs(random()) % {}, 'finding ' || i, (i % 100) / 10.0, "
                  "hex(randomblob(150)), {}",
                  events, moment(101)));
  sql += rows_of(part(tags_part), "INSERT INTO event_tags SELECT 2 * i - 1, 'tag' || (i % 50), i / 3.0");
  if (kind == SampleKind::whole) sql += indexes;
  sql += "COMMIT";
  sqlite3* opened = nullptr;
  if (sqlite3_open(path.c_str(), &opened) != SQLITE_OK)
    throw std::runtime_error("cannot make " + path.string());
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, sqlite3_close);
  if (sqlite3_exec(opened, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(opened));
}

}  // namespace nerve::bench
