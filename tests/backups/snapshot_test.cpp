// SPDX-License-Identifier: Apache-2.0
// What a snapshot hands over is compared with the file that SQLite itself leaves when nobody writes, and with
// rules over two tables while somebody does.
#include "snapshot/snapshot.h"

#include "backups/child_process.h"
#include "backups/scratch_database.h"
#include "snapshot/source_vfs.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using nerve::ByteView;
using nerve::backups::Snapshot;
using nerve::backups::SnapshotShape;
using nerve::backups::SourceVfs;
using nerve::sqlite::OpenMode;
using nerve::sqlite::Session;
using nerve::sqlite::SessionOptions;
using nerve::test::bytes_of;
using nerve::test::ChildProcess;
using nerve::test::make_database;
using nerve::test::PlainSqlite;
using nerve::test::TempFolder;
using nerve::test::WithoutRights;
using std::filesystem::path;

Snapshot open_snapshot(const path& database, const SessionOptions& options = {}) {
  return Snapshot(nerve::sqlite::read_file_facts(database), options);
}

/// All pages one after the other. Fails where they are not each page once, in order.
std::string pages_of(Snapshot& snapshot) {
  const SnapshotShape shape = snapshot.shape();
  std::string all;
  std::uint32_t due = 1;
  snapshot.read_pages([&](std::uint32_t number, ByteView page) {
    if (number != due++ || page.size() != shape.page_size_bytes) throw std::runtime_error("not the page due");
    all += nerve::as_text(page);
  });
  CHECK(due == shape.page_count + 1);
  return all;
}

std::string pages_of(const path& database, const SessionOptions& options = {}) {
  Snapshot snapshot = open_snapshot(database, options);
  return pages_of(snapshot);
}

/// Not CHECK(a == b), which would print both.
bool is_equal(const std::string& left, const std::string& right) {
  return left == right;
}

void write_at(const path& file, std::uint64_t offset, std::string_view bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream << bytes;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes += static_cast<char>(number >> static_cast<unsigned>(shift));
  return bytes;
}

/// A database of `page_count` pages of 64 KiB, nearly all of them holes that belong to no table. The lock
/// page holds what SQLite would never write there, and the last page is marked.
void make_sparse_database(const path& database, const std::string& journal_mode, std::uint32_t page_count) {
  constexpr std::uint64_t page_size_bytes = 65536;
  PlainSqlite(database).run("PRAGMA page_size=65536; PRAGMA journal_mode=" + journal_mode +
                            "; CREATE TABLE t(a); INSERT INTO t VALUES(1)");
  std::filesystem::resize_file(database, page_count * page_size_bytes);
  write_at(database, 28, big_endian(page_count));
  write_at(database, std::uint64_t{1} << 30U, "not zero");
  write_at(database, (page_count - 1) * page_size_bytes, "last");
}

struct SparseReading {
  std::uint32_t pages = 0;
  bool is_lock_page_zero = false;
  bool is_last_marked = false;
};

SparseReading read_sparse(const path& database) {
  Snapshot snapshot = open_snapshot(database);
  const SnapshotShape shape = snapshot.shape();
  SparseReading reading;
  snapshot.read_pages([&](std::uint32_t number, ByteView page) {
    if (number != ++reading.pages) throw std::runtime_error("not the page due");
    const std::string_view text = nerve::as_text(page);
    if (number == shape.lock_page()) reading.is_lock_page_zero = text == std::string(page.size(), '\0');
    if (number == shape.page_count) reading.is_last_marked = text.starts_with("last");
  });
  CHECK(reading.pages == shape.page_count);
  return reading;
}

/// Moves money between two tables once a millisecond until it is killed; the sum stays, and so does the
/// relation of the log to the counter.
void move_money(const path& database) {
  PlainSqlite writer(database);
  writer.run("PRAGMA synchronous=OFF");
  for (;;) {
    writer.run(
        "BEGIN IMMEDIATE; UPDATE a SET v = v - 7 WHERE id = 1 + abs(random() % 200);"
        "UPDATE b SET v = v + 7 WHERE id = 1 + abs(random() % 200);"
        "INSERT INTO log SELECT NULL, randomblob(abs(random() % 3000));"
        "DELETE FROM log WHERE id < (SELECT max(id) - 50 FROM log);"
        "UPDATE counter SET n = (SELECT max(id) FROM log); COMMIT");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void make_money(const path& database, const std::string& journal_mode) {
  PlainSqlite(database).run("PRAGMA journal_mode=" + journal_mode +
                            "; CREATE TABLE a(id INTEGER PRIMARY KEY, v INTEGER); CREATE TABLE b(id INTEGER "
                            "PRIMARY KEY, v INTEGER);"
                            "CREATE TABLE log(id INTEGER PRIMARY KEY, body BLOB); CREATE TABLE counter(n); "
                            "INSERT INTO counter VALUES(0);"
                            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<200) "
                            "INSERT INTO a SELECT i, 1000 FROM n;"
                            "INSERT INTO b SELECT id, 1000 FROM a;");
}

void check_money(const path& copy) {
  PlainSqlite database(copy, PlainSqlite::Access::immutable);
  CHECK(database.text("PRAGMA integrity_check") == "ok");
  CHECK(database.number("SELECT (SELECT sum(v) FROM a) + (SELECT sum(v) FROM b)") == 400'000);
  CHECK(database.number("SELECT n = (SELECT coalesce(max(id), 0) FROM log) FROM counter") == 1);
}

/// Takes snapshots while another process commits, and checks each, until there were enough of them and enough
/// different states among them.
void check_snapshots_of_living(const path& database, const TempFolder& folder, std::size_t snapshots) {
  constexpr std::size_t states = 10;
  const path copy = folder / "copy.db";
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const ChildProcess writer([&] { move_money(database); });
  std::set<std::string> counters;
  for (std::size_t round = 0; round < snapshots || counters.size() < states; ++round) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::ofstream(copy, std::ios::binary | std::ios::trunc) << pages_of(database);
    check_money(copy);
    counters.insert(PlainSqlite(copy, PlainSqlite::Access::immutable).text("SELECT n FROM counter"));
  }
}

}  // namespace

TEST_CASE("the pages of a quiet database are its file, whatever the journal mode and the page size") {
  for (const std::string mode : {"wal", "delete", "truncate", "persist"}) {
    for (const std::string page_size : {"512", "1024", "4096", "65536"}) {
      CAPTURE(mode);
      CAPTURE(page_size);
      const bool is_common_mode = mode == "wal" || mode == "delete";
      if (!is_common_mode && page_size != "4096") continue;
      const TempFolder folder;
      const path database = folder / "app.db";
      PlainSqlite(database).run("PRAGMA page_size=" + page_size + "; VACUUM");
      make_database(database, 300, mode);
      Snapshot snapshot = open_snapshot(database);
      CHECK(snapshot.shape().page_size_bytes == std::stoul(page_size));
      CHECK(snapshot.shape().is_wal == (mode == "wal"));
      const std::string pages = pages_of(snapshot);
      CHECK(pages.size() > 300 * 200);
      CHECK(is_equal(pages, bytes_of(database)));
    }
  }
}

TEST_CASE("the pages are the file for vacuumed, UTF-16 and rowid-less databases") {
  const std::string rows =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500) INSERT INTO t SELECT i, "
      "printf('%0200d', i) FROM n; DELETE FROM t WHERE a % 3 = 0;";
  for (const std::string mode : {"wal", "delete"}) {
    for (const std::string preparation :
         {"PRAGMA auto_vacuum=FULL; CREATE TABLE t(a INTEGER PRIMARY KEY, b);",
          "PRAGMA auto_vacuum=INCREMENTAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b);",
          "PRAGMA encoding='UTF-16le'; CREATE TABLE t(a INTEGER PRIMARY KEY, b);",
          "PRAGMA encoding='UTF-16be'; CREATE TABLE t(a INTEGER PRIMARY KEY, b); PRAGMA user_version=7",
          "CREATE TABLE t(a, b, PRIMARY KEY(b, a)) WITHOUT ROWID;"}) {
      CAPTURE(preparation);
      const TempFolder folder;
      PlainSqlite database(folder / "app.db");
      database.run(preparation);
      database.run("PRAGMA journal_mode=" + mode);
      database.run(rows);
      database.run("PRAGMA wal_checkpoint");
      CHECK(is_equal(pages_of(folder / "app.db"), bytes_of(folder / "app.db")));
    }
  }
}

TEST_CASE("the pages of each real database are its file, and nothing is left beside it") {
  const auto data = nerve::test::test_data("sqlite");
  if (!data) {
    MESSAGE("skipped: there is no real data");
    return;
  }
  int databases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*data)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path().filename().string());
    for (const std::string mode : {"wal", "delete"}) {
      const TempFolder folder;
      std::filesystem::copy(entry.path(), folder / "app.db");
      std::filesystem::permissions(folder / "app.db", std::filesystem::perms(0600));
      PlainSqlite(folder / "app.db").run("PRAGMA synchronous=OFF; PRAGMA journal_mode=" + mode);
      CHECK(is_equal(pages_of(folder / "app.db"), bytes_of(folder / "app.db")));
      CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
    }
    ++databases;
  }
  CHECK(databases >= 10);
}

TEST_CASE("what is in the -wal is handed over as a checkpoint would write it, and is not checkpointed") {
  for (const std::string page_size : {"512", "4096", "65536"}) {
    CAPTURE(page_size);
    const TempFolder folder;
    const path database = folder / "app.db";
    PlainSqlite(database).run("PRAGMA page_size=" + page_size + "; PRAGMA user_version=1");
    make_database(database, 200, "wal");
    // Page 1 changes, too.
    nerve::test::run_sql_and_die(
        database,
        "CREATE TABLE more(x); INSERT INTO more SELECT body FROM events; PRAGMA user_version=42;"
        "UPDATE events SET body = zeroblob(3000) WHERE id < 50; DROP TABLE users");
    const std::string before = bytes_of(database);
    const std::string pages = pages_of(database);
    CHECK(is_equal(bytes_of(database), before));
    PlainSqlite(database).run("PRAGMA wal_checkpoint(TRUNCATE)");
    CHECK_FALSE(is_equal(bytes_of(database), before));
    CHECK(is_equal(pages, bytes_of(database)));
  }
}

TEST_CASE("a snapshot is that of its beginning, whatever is written before its pages are read") {
  const TempFolder folder;
  const path database = folder / "app.db";
  make_database(database, 200, "wal");
  const std::string before = bytes_of(database);
  Snapshot snapshot = open_snapshot(database);
  PlainSqlite writer(database);
  writer.run(
      "PRAGMA user_version=9; DELETE FROM events; PRAGMA wal_checkpoint; INSERT INTO events(body) VALUES(1)");
  CHECK(is_equal(pages_of(snapshot), before));
}

TEST_CASE("a hundred snapshots of a database that another process writes each millisecond are each whole") {
  const TempFolder folder;
  make_money(folder / "app.db", "wal");
  check_snapshots_of_living(folder / "app.db", folder, 100);
}

TEST_CASE("snapshots of a database in rollback mode are whole while another process writes it") {
  const TempFolder folder;
  make_money(folder / "app.db", "delete");
  check_snapshots_of_living(folder / "app.db", folder, 30);
}

TEST_CASE("a file of no bytes has no pages") {
  const TempFolder folder;
  std::ofstream(folder / "empty.db").flush();
  Snapshot snapshot = open_snapshot(folder / "empty.db");
  CHECK(snapshot.shape().page_count == 0);
  snapshot.read_pages([](std::uint32_t, ByteView) { FAIL("a page of nothing"); });
}

TEST_CASE("a database of one page is handed over") {
  for (const std::string mode : {"wal", "delete"}) {
    const TempFolder folder;
    PlainSqlite(folder / "app.db").run("PRAGMA journal_mode=" + mode + "; PRAGMA user_version=3");
    CHECK(std::filesystem::file_size(folder / "app.db") == 4096);
    CHECK(is_equal(pages_of(folder / "app.db"), bytes_of(folder / "app.db")));
  }
}

TEST_CASE("bytes behind the last page are not part of the database") {
  for (const std::string mode : {"wal", "delete"}) {
    const TempFolder folder;
    make_database(folder / "app.db", 50, mode);
    const std::string before = bytes_of(folder / "app.db");
    std::ofstream(folder / "app.db", std::ios::app) << std::string(5000, 'x');
    CHECK(is_equal(pages_of(folder / "app.db"), before));
  }
}

TEST_CASE("in rollback mode a writer commits while the pages are handed over") {
  const TempFolder folder;
  const path database = folder / "app.db";
  make_database(database, 200, "delete");
  const std::string before = bytes_of(database);
  Snapshot snapshot = open_snapshot(database);
  std::string pages;
  snapshot.read_pages([&](std::uint32_t number, ByteView page) {
    if (number == 1) PlainSqlite(database).run("BEGIN IMMEDIATE; DELETE FROM events; COMMIT");
    pages += nerve::as_text(page);
  });
  CHECK(is_equal(pages, before));
  CHECK(PlainSqlite(database).number("SELECT count(*) FROM events") == 0);
}

TEST_CASE("where the copy aside cannot be finished, the pages come under the lock") {
  const TempFolder folder;
  const path database = folder / "app.db";
  make_database(database, 2000, "delete", 2000);
  const std::string before = bytes_of(database);
  REQUIRE(before.size() > (std::size_t{2} << 20U));
  // A limit in the middle of the copy ends it as a full disk would.
  struct rlimit limit {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto unlimited = limit;
  limit.rlim_cur = ::rlim_t{1} << 20U;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  Snapshot snapshot = open_snapshot(database);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::string pages;
  bool is_locked = false;
  snapshot.read_pages([&](std::uint32_t number, ByteView page) {
    if (number == 1) {
      PlainSqlite writer(database);
      writer.run("PRAGMA busy_timeout=0; BEGIN IMMEDIATE; PRAGMA user_version=2");
      try {
        writer.run("COMMIT");
      } catch (const std::runtime_error&) {
        is_locked = true;
      }
    }
    pages += nerve::as_text(page);
  });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &unlimited) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(is_locked);
  CHECK(is_equal(pages, before));
  PlainSqlite(database).run("PRAGMA busy_timeout=0; BEGIN EXCLUSIVE; COMMIT");
}

TEST_CASE("a folder that may not be written is enough to read from") {
  if (!WithoutRights::is_possible()) {
    MESSAGE("skipped: only root can lower its rights");
    return;
  }
  for (const std::string mode : {"wal", "delete"}) {
    const TempFolder folder;
    make_database(folder / "app.db", 100, mode);
    REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
    REQUIRE(::chmod((folder / "app.db").c_str(), 0444) == 0);
    const std::string before = bytes_of(folder / "app.db");
    const WithoutRights lowered;
    Snapshot snapshot = open_snapshot(folder / "app.db");
    CHECK(snapshot.shape().is_wal == (mode == "wal"));
    CHECK((snapshot.session().mode() == OpenMode::immutable) == (mode == "wal"));
    CHECK(is_equal(pages_of(snapshot), before));
  }
}

TEST_CASE("what is written to a database that is read without locks is told when its pages were read") {
  const TempFolder folder;
  make_database(folder / "app.db", 100, "wal");
  SessionOptions options;
  options.mode = OpenMode::immutable;
  Snapshot snapshot = open_snapshot(folder / "app.db", options);
  PlainSqlite(folder / "app.db").run("DELETE FROM events");
  CHECK_THROWS_AS(pages_of(snapshot), nerve::ConflictError);
}

TEST_CASE("what a dead writer left in the journal is undone where the caller asks for it") {
  const TempFolder folder;
  const path database = folder / "app.db";
  make_database(database, 300, "delete");
  const std::string before = bytes_of(database);
  nerve::test::run_sql_and_die(
      database, "PRAGMA cache_size=5; BEGIN; UPDATE events SET body = zeroblob(200); PRAGMA user_version=5");
  REQUIRE_FALSE(is_equal(bytes_of(database), before));
  SessionOptions options;
  options.mode = OpenMode::read_write;
  CHECK(is_equal(pages_of(database, options), before));
}

TEST_CASE("what taking a page throws is passed on, and the database is unlocked afterwards") {
  for (const std::string mode : {"wal", "delete"}) {
    for (const std::uint32_t failing_page : {1U, 2U, 40U}) {
      const TempFolder folder;
      make_database(folder / "app.db", 2000, mode);
      Snapshot snapshot = open_snapshot(folder / "app.db");
      std::uint32_t last = 0;
      try {
        snapshot.read_pages([&](std::uint32_t number, ByteView) {
          last = number;
          if (number == failing_page) throw nerve::DeniedError("no more");
        });
        FAIL("what was thrown is lost");
      } catch (const nerve::DeniedError& error) {
        CHECK(std::string(error.what()) == "no more");
      }
      CHECK(last == failing_page);
      PlainSqlite(folder / "app.db")
          .run("PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE; DELETE FROM events");
      CHECK_THROWS_AS(pages_of(snapshot), nerve::Error);
    }
  }
}

TEST_CASE("an interrupt ends the reading before the next page") {
  for (const std::string mode : {"wal", "delete"}) {
    const TempFolder folder;
    make_database(folder / "app.db", 2000, mode);
    Snapshot snapshot = open_snapshot(folder / "app.db");
    std::uint32_t last = 0;
    {
      const nerve::InterruptGuard guard;
      CHECK_THROWS_AS(snapshot.read_pages([&](std::uint32_t number, ByteView) {
        last = number;
        if (number == 30) std::raise(SIGINT);
      }),
                      nerve::CancelledError);
    }
    const nerve::InterruptGuard forgets_the_signal;
    CHECK(last == 30);
  }
}

TEST_CASE("a database with a damaged schema is handed over as it lies") {
  for (const std::string mode : {"wal", "delete"}) {
    const TempFolder folder;
    const path database = folder / "app.db";
    make_database(database, 300, mode);
    write_at(database, 100, std::string(3000, 'x'));
    Snapshot snapshot = open_snapshot(database);
    CHECK_THROWS_AS(snapshot.session().integer("SELECT count(*) FROM users"), nerve::IntegrityError);
    CHECK(is_equal(pages_of(snapshot), bytes_of(database)));
  }
}

TEST_CASE("a transaction that has ended is not read") {
  const TempFolder folder;
  make_database(folder / "app.db", 10, "wal");
  Snapshot snapshot = open_snapshot(folder / "app.db");
  snapshot.session().execute("ROLLBACK");
  CHECK_THROWS_WITH_AS(pages_of(snapshot), doctest::Contains("has ended"), nerve::Error);
}

TEST_CASE("the lock page comes as zeros in its place") {
  const TempFolder folder;
  make_sparse_database(folder / "app.db", "wal", 16'388);
  const SparseReading reading = read_sparse(folder / "app.db");
  CHECK(reading.is_lock_page_zero);
  CHECK(reading.is_last_marked);
}

TEST_CASE("a database of more than 4 GiB is read to its end, and its holes are copied as holes") {
  const TempFolder folder;
  make_sparse_database(folder / "app.db", "delete", 65'540);
  const SparseReading reading = read_sparse(folder / "app.db");
  CHECK(reading.pages == 65'540);
  CHECK(reading.is_lock_page_zero);
  CHECK(reading.is_last_marked);
}

TEST_CASE("page 1 is the one that was read last, by whatever way SQLite came to it") {
  const TempFolder folder;
  const path database = folder / "app.db";
  make_database(database, 20, "delete");
  SourceVfs vfs;
  SessionOptions options;
  options.vfs = vfs.name();
  Session session(database, options);
  const auto is_seen = [&] {
    return std::string(nerve::as_text(vfs.first_page())) ==
           bytes_of(database).substr(0, vfs.first_page().size());
  };
  CHECK(vfs.first_page().empty());
  // Its page size is not what SQLite read when it opened the file.
  PlainSqlite(database).run("PRAGMA page_size=1024; VACUUM");
  session.integer("SELECT count(*) FROM users");
  CHECK(vfs.first_page().size() == 1024);
  CHECK(is_seen());
  // In the cache.
  session.integer("SELECT count(*) FROM events");
  CHECK(is_seen());
  // Into WAL mode, and in the -wal.
  PlainSqlite writer(database);
  writer.run("PRAGMA journal_mode=WAL; PRAGMA user_version=77");
  CHECK(session.integer("PRAGMA user_version") == 77);
  CHECK_FALSE(is_seen());
  writer.run("PRAGMA wal_checkpoint(TRUNCATE)");
  CHECK(is_seen());
  // In the -wal again, then in the file behind an empty -wal.
  writer.run("PRAGMA user_version=78");
  CHECK(session.integer("PRAGMA user_version") == 78);
  CHECK_FALSE(is_seen());
  writer.run("PRAGMA user_version=79; PRAGMA wal_checkpoint(TRUNCATE)");
  CHECK(session.integer("PRAGMA user_version") == 79);
  CHECK(is_seen());
  // What is read later, is not looked at.
  vfs.stop_watching();
  writer.run("PRAGMA user_version=80; PRAGMA wal_checkpoint(TRUNCATE)");
  CHECK(session.integer("PRAGMA user_version") == 80);
  CHECK_FALSE(is_seen());
}

TEST_CASE("a file layer is unknown when its reading is over") {
  std::string name;
  {
    const SourceVfs vfs;
    name = vfs.name();
    CHECK(::sqlite3_vfs_find(name.c_str()) != nullptr);
  }
  CHECK(::sqlite3_vfs_find(name.c_str()) == nullptr);
}
