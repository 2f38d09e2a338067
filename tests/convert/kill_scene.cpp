// SPDX-License-Identifier: Apache-2.0
#include "convert/kill_scene.h"

#include "convert/both_sides.h"
#include "convert/torture.h"
#include "support/file_bytes.h"

#include "nerve/convert/convert.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>
#include <thread>

namespace nerve::test {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t rejected_rows = 12 + 3;

constexpr std::string_view script = R"(
CREATE TABLE artist (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  mentor INTEGER REFERENCES artist(id));
CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist(id) ON DELETE CASCADE,
  title VARCHAR(40) NOT NULL, price DECIMAL(10,2) CHECK (price > 0), released DATE,
  label TEXT GENERATED ALWAYS AS (title || '!') STORED);
CREATE TABLE track (id INTEGER PRIMARY KEY, album_id INTEGER REFERENCES album(id), text TEXT, length REAL, cover BLOB);
CREATE TABLE setting (area TEXT NOT NULL, name TEXT NOT NULL, value TEXT, PRIMARY KEY (area, name)) WITHOUT ROWID;
CREATE TABLE note (text TEXT);
CREATE INDEX album_by_artist ON album (artist_id, title DESC);
CREATE INDEX dear_album ON album (price) WHERE price > 10;
CREATE INDEX track_by_album ON track (album_id);
CREATE INDEX track_by_text ON track (lower(text), length);
CREATE VIEW album_of_artist AS SELECT a.name, b.title FROM artist a JOIN album b ON b.artist_id = a.id;
CREATE TRIGGER track_gone AFTER DELETE ON track BEGIN DELETE FROM note; END;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 500)
  INSERT INTO artist SELECT i, 'artist ' || i, nullif(i / 2, 0) FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
  INSERT INTO album SELECT i, 1 + i % 500, 'album ' || i, i / 100.0, date('2000-01-01', i || ' days') FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
  INSERT INTO track SELECT i * 3, 1 + i % 2000, CASE WHEN i % 500 = 0 THEN 'a' || char(0) ELSE 'a longer text ' || i END,
  i / 7.0, zeroblob(i % 50) FROM n;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 900)
  INSERT INTO setting SELECT 'area ' || i % 30, 'name ' || i, CASE WHEN i % 300 = 0 THEN CAST(x'ff' AS TEXT) ELSE i END FROM n;
INSERT INTO note VALUES ('one'), ('one'), (NULL);
)";

/// What it says of the tables and of what has no equal, in an order of its own.
std::string told(const std::string& report) {
  const Json json = Json::parse(report);
  std::vector<std::string> lines;
  for (const char* list : {"tables", "refused"}) {
    for (const Json& entry : json.at(list)) lines.push_back(entry.dump());
  }
  lines.push_back(json.at("plan").dump());
  lines.push_back(json.at("rejects").dump());
  std::ranges::sort(lines);
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::int64_t missing_from(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  std::vector<std::string> missing;
  std::ranges::set_difference(all, some, std::back_inserter(missing));
  return std::ssize(missing);
}

/// What pg_dump wrote, but for the key that it draws anew each time to keep psql from other commands.
std::string read_dump(const ProcessResult& result) {
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  std::istringstream lines(result.out);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")) text += line + "\n";
  }
  return text;
}

}  // namespace

KillScene::KillScene(PostgresServer& server, const std::string& name, Way way,
                     const std::string& journal_mode)
    : server_(server), database_(name), way_(way), url_(server.create_database(name)) {
  make_source(source_, "PRAGMA journal_mode = " + journal_mode + ";" + std::string(script));
  plan_ = convert::plan_conversion(source_, {}).plan;
  for (int run_number = 0; run_number < 3; ++run_number) {
    clear();
    const auto begin = std::chrono::steady_clock::now();
    const ProcessResult result = run();
    const auto lasted =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    duration_ = run_number == 0 ? lasted : std::min(duration_, lasted);
    CAPTURE(result.err);
    REQUIRE(result.exit_code == exit_partial);
    if (run_number == 0) learn(result);
    check_report(result);
    check_result();
  }
  std::int64_t missing = 0;
  for (std::size_t table = 0; table < plan_.tables.size(); ++table) {
    const std::vector<std::string> expected = source_rows(source_, plan_.tables[table], url_);
    CHECK(missing_from(expected, target_.rows[table]) == 0);
    missing += missing_from(target_.rows[table], expected);
  }
  CHECK(missing == rejected_rows);
  CHECK(reject_lines_.size() == rejected_rows);
}

void KillScene::learn(const ProcessResult& result) {
  report_ = told(result.out);
  target_ = read_target();
  files_ = files();
  reject_lines_ = reject_lines();
}

void KillScene::relearn_target() {
  target_ = read_target();
}

std::vector<std::string> KillScene::command() const {
  const std::string rejects = rejects_ / "rejects.jsonl";
  if (way_ == Way::small_ranges) return {NERVE_RANGES_PROGRAM, source_, url_, rejects};
  std::vector<std::string> words{NERVE_DB_PROGRAM, "convert", source_, url_, "--rejects", rejects, "--json"};
  if (way_ == Way::atomic) words.emplace_back("--atomic");
  return words;
}

ProcessOptions KillScene::options() const {
  ProcessOptions options;
  options.env = {{"TMPDIR", temporary_.path()}, {"SQLITE_TMPDIR", temporary_.path()}};
  return options;
}

ProcessResult KillScene::run() const {
  return run_process(command(), options());
}

void KillScene::clear() {
  clear_target(url_);
  fs::remove(rejects_ / "rejects.jsonl");
}

bool KillScene::is_ended() const {
  if (way_ == Way::atomic)
    return server_.query_text("SELECT to_regclass('public.note')", database_) == "note";
  if (server_.query_text("SELECT to_regclass('nerve_convert.conversion')", database_).empty()) return false;
  return server_.query_text("SELECT 1 FROM nerve_convert.conversion WHERE ended_at IS NOT NULL", database_) ==
         "1";
}

std::string KillScene::dump() const {
  return read_dump(Process({server_.programs_folder() / "pg_dump", "--dbname", url_}).wait());
}

std::string KillScene::numbers() const {
  return server_.query_text(
      "SELECT string_agg(sequencename || ' ' || coalesce(last_value::text, 'unused'), ', ' ORDER BY "
      "sequencename) "
      "FROM pg_sequences WHERE schemaname = 'public'",
      database_);
}

KillScene::Target KillScene::read_target() const {
  // Beside the reading of the rows, for both take a while.
  Process dump({server_.programs_folder() / "pg_dump", "--schema-only", "--exclude-schema=nerve_convert",
                "--dbname", url_});
  Target target;
  postgresql::Session session(url_);
  for (const convert::TablePlan& table : plan_.tables) target.rows.push_back(target_rows(table, session));
  // pg_dump tells where an identity goes on with the rows only.
  target.schema = read_dump(dump.wait()) + numbers();
  return target;
}

std::set<std::string> KillScene::files() const {
  std::set<std::string> found;
  for (const fs::path& folder : {folder_.path(), rejects_.path(), temporary_.path()}) {
    for (const auto& entry : fs::directory_iterator(folder)) found.insert(entry.path().string());
  }
  return found;
}

std::multiset<std::string> KillScene::reject_lines() const {
  std::istringstream stream(bytes_of(rejects_ / "rejects.jsonl"));
  std::multiset<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

void KillScene::finish() const {
  const bool was_ended = is_ended();
  const ProcessResult result = run();
  CAPTURE(result.err);
  CAPTURE(was_ended);
  if (was_ended) {
    // Only its report was lost.
    CHECK(result.exit_code == exit_conflict);
    return;
  }
  CHECK(result.exit_code == exit_partial);
  if (result.exit_code == exit_partial) check_report(result);
}

void KillScene::check_report(const ProcessResult& result) const {
  const Json report = Json::parse(result.out);
  for (const Json& table : report.at("tables")) CHECK(table.at("is_equal") == true);
  CHECK(told(result.out) == report_);
}

void KillScene::check_result() const {
  const Target found = read_target();
  CHECK(found.schema == target_.schema);
  for (std::size_t table = 0; table < found.rows.size(); ++table)
    CHECK(first_difference(found.rows[table], target_.rows[table]) == "");
  CHECK(reject_lines() == reject_lines_);
  CHECK(files() == files_);
  CHECK(server_.query_text(
            "SELECT (SELECT count(*) FROM nerve_convert.conversion WHERE ended_at IS NOT NULL) || ' ' || "
            "(SELECT count(*) FROM nerve_convert.conversion) || ' ' || (SELECT count(*) FROM "
            "nerve_convert.range) || ' ' || (SELECT count(*) FROM nerve_convert.step) || ' ' || "
            "(SELECT count(*) FROM nerve_convert.reject)",
            database_) == "1 1 0 0 0");
  check_no_session(std::chrono::seconds(5));
}

void KillScene::check_no_session(std::chrono::milliseconds limit) const {
  // Locks go with their sessions, but for those of prepared transactions.
  const std::string others =
      "SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = "
      "'client "
      "backend' AND pid <> pg_backend_pid()) + (SELECT count(*) FROM pg_prepared_xacts)";
  const auto deadline = std::chrono::steady_clock::now() + limit;
  bool is_any = true;
  while (is_any && std::chrono::steady_clock::now() < deadline) {
    is_any = server_.query_text(others, database_) != "0";
    if (is_any) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(!is_any);
}

}  // namespace nerve::test
