// SPDX-License-Identifier: Apache-2.0
#include "backups/scratch_database.h"

#include "nerve/backends/sqlite/session.h"

#include <sqlite3.h>

#include <fstream>
#include <stdexcept>
#include <vector>

namespace nerve::test {
namespace {

constexpr std::int64_t page_size_bytes = 4096;

struct Finalize {
  void operator()(::sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
};

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char character : name)
    text += character == '"' ? std::string("\"\"") : std::string(1, character);
  return text + "\"";
}

}  // namespace

void PlainSqlite::Close::operator()(::sqlite3* database) const noexcept {
  ::sqlite3_close(database);
}

PlainSqlite::PlainSqlite(const std::filesystem::path& path, Access access) {
  ::sqlite3* raw = nullptr;
  const bool is_immutable = access == Access::immutable;
  const int result = ::sqlite3_open_v2(
      sqlite::to_uri(path, is_immutable ? "immutable=1" : "").c_str(), &raw,
      SQLITE_OPEN_URI | (is_immutable ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE),
      nullptr);
  database_.reset(raw);
  if (result != SQLITE_OK) throw std::runtime_error("cannot open " + path.string());
  ::sqlite3_busy_timeout(raw, 10'000);
}

void PlainSqlite::run(const std::string& sql) {
  if (::sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string("sqlite: ") + ::sqlite3_errmsg(database_.get()) + " in " + sql);
  }
}

std::string PlainSqlite::text(const std::string& sql) {
  ::sqlite3_stmt* raw = nullptr;
  ::sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &raw, nullptr);
  const std::unique_ptr<::sqlite3_stmt, Finalize> statement(raw);
  if (raw == nullptr || ::sqlite3_step(raw) != SQLITE_ROW) {
    throw std::runtime_error(std::string("sqlite: ") + ::sqlite3_errmsg(database_.get()) + " in " + sql);
  }
  const unsigned char* value = ::sqlite3_column_text(raw, 0);
  return value == nullptr ? "" : reinterpret_cast<const char*>(value);
}

std::int64_t PlainSqlite::number(const std::string& sql) {
  return std::stoll(text(sql));
}

std::string PlainSqlite::rows(const std::string& sql) {
  ::sqlite3_stmt* raw = nullptr;
  ::sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &raw, nullptr);
  const std::unique_ptr<::sqlite3_stmt, Finalize> statement(raw);
  if (raw == nullptr) throw std::runtime_error(std::string("sqlite: ") + ::sqlite3_errmsg(database_.get()));
  std::string all;
  while (::sqlite3_step(raw) == SQLITE_ROW) {
    for (int column = 0; column < ::sqlite3_column_count(raw); ++column) {
      const auto* bytes = static_cast<const char*>(::sqlite3_column_blob(raw, column));
      const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(raw, column));
      all += std::to_string(::sqlite3_column_type(raw, column)) + ":" + std::to_string(size) + ":";
      if (bytes != nullptr) all.append(bytes, size);
      all += '\n';
    }
  }
  return all;
}

void make_database(const std::filesystem::path& path, int rows, const std::string& journal_mode,
                   int body_bytes) {
  PlainSqlite database(path);
  database.run("PRAGMA journal_mode=" + journal_mode +
               ";BEGIN;"
               "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, score REAL);"
               "CREATE TABLE events(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), body BLOB);"
               "CREATE INDEX events_by_user ON events(user_id);");
  const std::string numbers =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" + std::to_string(rows) + ") ";
  database.run(numbers + "INSERT INTO users SELECT i, 'user' || i || '@example.org', i / 7.0 FROM n;");
  database.run(numbers + "INSERT INTO events SELECT i, 1 + i % " + std::to_string(rows) +
               ", CAST(printf('%0*d', " + std::to_string(body_bytes) + ", i) AS BLOB) FROM n;COMMIT;");
}

std::string content_of(const std::filesystem::path& path) {
  PlainSqlite database(path);
  std::string content =
      database.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name");
  const std::int64_t count =
      database.number("SELECT count(*) FROM sqlite_schema WHERE type='table' AND rootpage > 0");
  for (std::int64_t place = 0; place < count; ++place) {
    const std::string name = database.text(
        "SELECT name FROM sqlite_schema WHERE type='table' AND rootpage > 0 "
        "ORDER BY name LIMIT 1 OFFSET " +
        std::to_string(place));
    content += name + "\n" + database.rows("SELECT * FROM " + quoted(name));
  }
  return content;
}

std::string integrity_of(const std::filesystem::path& path) {
  return PlainSqlite(path).text("PRAGMA integrity_check");
}

void damage_page(const std::filesystem::path& path, std::int64_t page) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((page - 1) * page_size_bytes);
  const std::vector<char> ones(page_size_bytes, '\xFF');
  file.write(ones.data(), static_cast<std::streamsize>(ones.size()));
  if (!file.flush()) throw std::runtime_error("cannot damage " + path.string());
}

}  // namespace nerve::test
