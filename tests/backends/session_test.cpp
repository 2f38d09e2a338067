// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/session.h"

#include "backends/sqlite_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

#include "nerve/backends/sqlite/content.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

using nerve::sqlite::OpenMode;
using nerve::sqlite::read_file_facts;
using nerve::sqlite::Row;
using nerve::sqlite::Session;
using nerve::sqlite::StorageClass;
using namespace nerve::test;

namespace {

constexpr const char* endless =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
constexpr const char* many_rows =
    "INSERT INTO t SELECT i, zeroblob(500) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
    "FROM n WHERE i < "
    "2000) SELECT i FROM n)";

/// Leaves a transaction half written, as `kill -9` at its worst moment does.
void leave_hot_journal(const std::filesystem::path& path) {
  make_database(path, std::string("CREATE TABLE t(a, b);") + many_rows);
  OtherProcess writer = keep_open(path, "PRAGMA cache_size=2; BEGIN; UPDATE t SET b = randomblob(500)");
  writer.kill();
}

void leave_wal(const std::filesystem::path& path) {
  OtherProcess writer =
      keep_open(path, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)");
  writer.kill();
}

/// The user that owns nothing, for what root may always do; 0 when the test does not run as root.
bool become_nobody() {
  return ::geteuid() != 0 || ::setuid(65534) == 0;
}

}  // namespace

TEST_CASE("a path may hold any character") {
  const TempFolder folder;
  for (const std::string name :
       {"two words.db", "what?mode=ro.db", "hash#tag.db", "per%41cent.db", "grüße.db", "a&b=c;d.db"}) {
    CAPTURE(name);
    make_database(folder / name, "CREATE TABLE t(a); INSERT INTO t VALUES ('" + name + "')");
    Session session(folder / name);
    CHECK(session.text("SELECT a FROM t") == name);
    CHECK(Session(folder / name, {.mode = OpenMode::immutable}).text("SELECT a FROM t") == name);
  }
}

TEST_CASE("no mode creates a file") {
  const TempFolder folder;
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::immutable, OpenMode::read_write}) {
    CHECK_THROWS_AS(Session(folder / "none.db", {.mode = mode}), nerve::NotFoundError);
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

TEST_CASE("an empty file is an empty database and stays one") {
  const TempFolder folder;
  write_bytes(folder / "a.db", "");
  {
    Session session(folder / "a.db");
    CHECK(session.integer("SELECT count(*) FROM sqlite_schema") == 0);
  }
  CHECK(std::filesystem::file_size(folder / "a.db") == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a reader cannot write") {
  const TempFolder folder;
  make_database(folder / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
  const std::string before = bytes_of(folder / "a.db");
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::immutable}) {
    Session session(folder / "a.db", {.mode = mode});
    CHECK_THROWS_AS(session.execute("INSERT INTO t VALUES (1)"), nerve::DeniedError);
  }
  CHECK(bytes_of(folder / "a.db") == before);
}

TEST_CASE("values come as they are stored") {
  const TempFolder folder;
  make_database(folder / "a.db",
                "PRAGMA encoding='UTF-16le'; CREATE TABLE t(a TEXT, b INT, c, d, e);"
                "INSERT INTO t VALUES ('gr\u00fc\u00dfe', 9223372036854775807, 0.5, x'0001ff', NULL)");
  Session session(folder / "a.db");
  session.each("SELECT a, b, c, d, e FROM t", [](const Row& row) {
    CHECK(row.column_count() == 5);
    CHECK(row.text(0) == "gr\u00fc\u00dfe");
    CHECK(row.integer(1) == 9223372036854775807);
    CHECK(row.real(2) == 0.5);
    CHECK(nerve::to_hex(row.blob(3)) == "0001ff");
    CHECK(row.is_null(4));
    CHECK(row.storage_class(0) == StorageClass::text);
    CHECK(row.storage_class(1) == StorageClass::integer);
    CHECK(row.storage_class(2) == StorageClass::real);
    CHECK(row.storage_class(3) == StorageClass::blob);
  });
  CHECK_THROWS_AS(session.integer("SELECT b FROM t WHERE b = 0"), nerve::NotFoundError);
}

TEST_CASE("reading a database in WAL mode leaves no companions and changes nothing") {
  const TempFolder folder;
  make_database(folder / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1)");
  REQUIRE_FALSE(std::filesystem::exists(folder / "a.db-wal"));
  const std::string before = bytes_of(folder / "a.db");
  {
    Session session(folder / "a.db");
    CHECK(session.mode() == OpenMode::read_only);
    CHECK(session.integer("SELECT a FROM t") == 1);
  }
  CHECK(bytes_of(folder / "a.db") == before);
  CHECK_FALSE(std::filesystem::exists(folder / "a.db-wal"));
  CHECK_FALSE(std::filesystem::exists(folder / "a.db-shm"));
}

TEST_CASE("rows that are in the -wal of a dead process are read, and the -wal stays") {
  const TempFolder folder;
  leave_wal(folder / "a.db");
  const std::string database = bytes_of(folder / "a.db");
  const std::string wal = bytes_of(folder / "a.db-wal");
  {
    Session session(folder / "a.db");
    CHECK(session.integer("SELECT sum(a) FROM t") == 3);
  }
  CHECK(bytes_of(folder / "a.db") == database);
  CHECK(bytes_of(folder / "a.db-wal") == wal);
}

TEST_CASE(
    "a database in WAL mode in a folder that may not be written is read as immutable, and a change is told") {
  const TempFolder folder;
  make_database(folder / "a.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (7)");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((folder / "a.db").c_str(), 0644) == 0);
  const int told = run_in_other_process([&] {
    if (::geteuid() != 0 && ::chmod(folder.path().c_str(), 0555) != 0) return 10;
    if (!become_nobody()) return 11;
    Session session(folder / "a.db");
    if (session.mode() != OpenMode::immutable) return 12;
    if (session.integer("SELECT a FROM t") != 7) return 13;
    session.require_unchanged();
    return 0;
  });
  CHECK(told == 0);
  ::chmod(folder.path().c_str(), 0700);
  const Session session(folder / "a.db", {.mode = OpenMode::immutable});
  CHECK_NOTHROW(session.require_unchanged());
  write_bytes(folder / "a.db", bytes_of(folder / "a.db") + std::string(4096, '\0'));
  CHECK_THROWS_AS(session.require_unchanged(), nerve::ConflictError);
}

TEST_CASE("a transaction that was cut off is left alone by a reader and rolled back by a writer") {
  const TempFolder folder;
  leave_hot_journal(folder / "a.db");
  REQUIRE(read_file_facts(folder / "a.db").is_journal_live);
  const std::string before = bytes_of(folder / "a.db");
  {
    Session session(folder / "a.db");
    CHECK_THROWS_AS(session.integer("SELECT count(*) FROM t"), nerve::DeniedError);
  }
  CHECK(bytes_of(folder / "a.db") == before);
  Session session(folder / "a.db", {.mode = OpenMode::read_write});
  CHECK(session.integer("SELECT count(*) FROM t WHERE b = zeroblob(500)") == 2000);
  CHECK(session.text("PRAGMA integrity_check") == "ok");
}

TEST_CASE("a locked database is unavailable and the hint names who holds it") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  const OtherProcess other = keep_open(folder / "a.db", "BEGIN EXCLUSIVE");
  Session session(folder / "a.db", {.busy_timeout_ms = 50});
  try {
    session.integer("SELECT count(*) FROM t");
    FAIL("it was not locked");
  } catch (const nerve::ConnectionError& error) {
    CHECK(error.kind() == nerve::ErrorKind::unavailable);
    CHECK(error.code() == "SQLITE_BUSY");
    const bool can_name = nerve::sqlite::find_holders(folder / "a.db").is_scanned;
    if (!can_name) MESSAGE("skipped: there is no /proc to find the process in");
    CHECK_EQ(can_name, error.hint().find("pid " + std::to_string(other.pid())) != std::string::npos);
  }
}

TEST_CASE("a full database is unavailable for want of space") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  Session session(folder / "a.db", {.mode = OpenMode::read_write});
  session.execute("PRAGMA max_page_count=2");
  try {
    session.execute("INSERT INTO t VALUES (zeroblob(10000))");
    FAIL("it was not full");
  } catch (const nerve::DatabaseError& error) {
    CHECK(error.kind() == nerve::ErrorKind::unavailable);
    CHECK(std::string(error.what()).find("no space left on the device of") == 0);
  }
}

TEST_CASE("what is no database, or a damaged one, is an integrity error") {
  const TempFolder folder;
  write_bytes(folder / "text", "this is not a database at all");
  CHECK_THROWS_AS(Session(folder / "text"), nerve::IntegrityError);
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  std::string bytes = bytes_of(folder / "a.db");
  bytes[16] = 3;  // no valid page size
  write_bytes(folder / "a.db", bytes);
  CHECK_THROWS_AS(Session(folder / "a.db").integer("PRAGMA schema_version"), nerve::IntegrityError);
}

TEST_CASE("no error holds a bound or inserted value") {
  const TempFolder folder;
  make_database(folder / "a.db",
                "CREATE TABLE t(a UNIQUE, CHECK (a <> 'x')); INSERT INTO t VALUES ('hunter2')");
  Session session(folder / "a.db", {.mode = OpenMode::read_write});
  for (const char* sql : {"INSERT INTO t VALUES ('hunter2')", "INSERT INTO t SELECT json('hunter2')"}) {
    try {
      session.execute(sql);
      FAIL("it was accepted");
    } catch (const nerve::Error& error) {
      CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
      CHECK(error.hint().find("hunter2") == std::string::npos);
    }
  }
}

TEST_CASE("a statement that does not fit the schema is told in SQLite's words") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  Session session(folder / "a.db");
  CHECK(session.prepare_error("SELECT b FROM t") == "no such column: b");
  CHECK_FALSE(session.prepare_error("SELECT a FROM t"));
  CHECK_THROWS_AS(session.each("SELECT b FROM t", [](const Row&) {}), nerve::DatabaseError);
}

TEST_CASE("the user's interrupt ends a statement") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  Session session(folder / "a.db");
  {
    const nerve::InterruptGuard guard;
    ::raise(SIGINT);
    CHECK_THROWS_AS(session.integer(endless), nerve::CancelledError);
  }
  const nerve::InterruptGuard forgets_the_interrupt;
  CHECK(session.integer("SELECT count(*) FROM t") == 0);
}

TEST_CASE("what a tick throws ends the statement and is passed on") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  Session session(folder / "a.db");
  int ticks = 0;
  session.on_tick([&] {
    if (++ticks == 3) throw nerve::ConflictError("enough");
  });
  CHECK_THROWS_AS(session.integer(endless), nerve::ConflictError);
  CHECK(ticks == 3);
  session.on_tick({});
  CHECK(session.integer("SELECT count(*) FROM t") == 0);
}

TEST_CASE("a snapshot does not see what others commit meanwhile") {
  const TempFolder folder;
  SqliteDatabase writer(folder / "a.db");
  writer.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
  Session session(folder / "a.db");
  session.read_snapshot([&] {
    writer.execute("INSERT INTO t VALUES (1)");
    CHECK(session.integer("SELECT count(*) FROM t") == 0);
    session.read_snapshot([&] { CHECK(session.integer("SELECT count(*) FROM t") == 0); });
  });
  CHECK(session.integer("SELECT count(*) FROM t") == 1);
}

TEST_CASE("not even a writer can rewrite the schema as text") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  Session session(folder / "a.db", {.mode = OpenMode::read_write});
  CHECK(session.integer("PRAGMA cell_size_check") == 1);
  session.execute("PRAGMA writable_schema=ON");
  CHECK_THROWS_AS(session.execute("DELETE FROM sqlite_schema"), nerve::Error);
}

TEST_CASE("a schema may use any function of SQLite, and a view that loads code fails") {
  const TempFolder folder;
  make_database(folder / "a.db",
                "CREATE TABLE t(a CHECK (json_valid(a))); INSERT INTO t VALUES ('{}');"
                "CREATE VIEW v AS SELECT load_extension('x') FROM t");
  Session session(folder / "a.db");
  CHECK(session.text("SELECT a FROM t") == "{}");
  CHECK_THROWS_AS(session.text("SELECT * FROM v"), nerve::DatabaseError);
}
