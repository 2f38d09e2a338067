// SPDX-License-Identifier: Apache-2.0
// What salvage brings back of databases that are damaged in one place.
#include "backups/child_process.h"
#include "backups/salvage_scene.h"
#include "support/file_bytes.h"
#include "support/test_data.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>

namespace {

using namespace nerve::test;
using nerve::backups::SalvageReport;

/// All that a schema can hold, in one database.
constexpr const char* every_kind =
    "CREATE TABLE plain(id INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT, r REAL, b BLOB, n);"
    "CREATE TABLE keyed(k TEXT, j INT, v, PRIMARY KEY(j, k)) WITHOUT ROWID;"
    "CREATE TABLE made(x INT, y INT AS (x * 2) VIRTUAL, z TEXT AS ('z' || x) STORED, u UNIQUE);"
    "CREATE TABLE \"odd \"\"name\"(rowid, _rowid_, oid);"
    "CREATE TABLE strict_one(a ANY, i INTEGER NOT NULL CHECK (i > 0)) STRICT;"
    "CREATE VIEW seen AS SELECT * FROM plain;"
    "CREATE INDEX partly ON plain(t DESC) WHERE t IS NOT NULL;"
    "CREATE UNIQUE INDEX once ON plain(n);"
    "CREATE TRIGGER follow AFTER INSERT ON plain BEGIN INSERT INTO keyed VALUES('by trigger', new.id, NULL); "
    "END;"
    "CREATE VIRTUAL TABLE docs USING fts5(title, body);"
    "BEGIN;"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
    "INSERT INTO plain SELECT i * 3, printf('täxt %0*d', i % 50 * 20, i), i / 3.0, randomblob(i % 40 * 30), "
    "i FROM n;"
    "INSERT INTO made(x, u) SELECT id, 'u' || id FROM plain;"
    "INSERT INTO \"odd \"\"name\" SELECT id, t, NULL FROM plain;"
    "INSERT INTO strict_one SELECT t, id FROM plain;"
    "INSERT INTO docs SELECT 'title ' || id, 'a common word and ' || id FROM plain;"
    "COMMIT;"
    "ALTER TABLE made ADD COLUMN later TEXT DEFAULT 'by default';"
    "INSERT INTO made(x, u, later) VALUES(1, 2, 'given');"
    "DELETE FROM plain WHERE id % 5 = 0; ANALYZE;"
    "PRAGMA user_version = 77; PRAGMA application_id = -5;";

/// So many tables of two rows that the schema takes several small pages.
void make_many_tables(const SalvageScene& scene, int count) {
  std::string sql = "PRAGMA page_size=512; BEGIN;";
  for (int number = 0; number < count; ++number) {
    const std::string name = "table_with_a_long_name_" + std::to_string(number);
    sql.append("CREATE TABLE ")
        .append(name)
        .append("(id INTEGER PRIMARY KEY, t TEXT DEFAULT 'some default');");
    sql.append("INSERT INTO ").append(name).append(" VALUES(1, 'a row'), (2, 'another');");
  }
  scene.run(sql + "COMMIT;");
}

void check_equal(const SalvageScene& scene) {
  const SalvageReport report = scene.salvage();
  CHECK(report.is_complete());
  CHECK(report.lost_and_found.empty());
  CHECK(content_digest(scene.target()) == content_digest(scene.database()));
  CHECK(content_of(scene.target()) == content_of(scene.database()));
  CHECK(integrity_of(scene.target()) == "ok");
  for (const char* pragma : {"page_size", "encoding", "auto_vacuum", "user_version", "application_id"}) {
    CAPTURE(pragma);
    const std::string statement = std::string("PRAGMA ") + pragma;
    CHECK(PlainSqlite(scene.target()).text(statement) == PlainSqlite(scene.database()).text(statement));
  }
}

}  // namespace

TEST_CASE("a sound database of any page size, encoding and vacuum mode comes back equal") {
  const std::array<const char*, 3> encodings = {"UTF-8", "UTF-16le", "UTF-16be"};
  int combination = 0;
  for (int size = 512; size <= 65536; size *= 2, ++combination) {
    const SalvageScene scene;
    const std::string encoding = encodings[static_cast<std::size_t>(combination) % encodings.size()];
    CAPTURE(size);
    CAPTURE(encoding);
    scene.run("PRAGMA page_size=" + std::to_string(size) + "; PRAGMA encoding='" + encoding +
              "'; PRAGMA auto_vacuum=" + std::to_string(combination % 3) + ";" + every_kind);
    check_equal(scene);
    CHECK(count_in(scene.target(), "docs WHERE docs MATCH 'common'") == 300);
  }
}

TEST_CASE("each real database comes back equal") {
  const auto folder = test_data("sqlite");
  if (!folder) {
    MESSAGE("skipped: there is no real data");
    return;
  }
  int databases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path().filename().string());
    const SalvageScene scene;
    scene.write_bytes(bytes_of(entry.path()));
    check_equal(scene);
    ++databases;
  }
  CHECK(databases >= 10);
}

TEST_CASE("a leaf page that is zeroed costs its own rows, and the report names it") {
  const SalvageScene scene;
  scene.make_letters(2000);
  const auto before = rows_of(scene.database(), "letters");
  const std::uint32_t page = scene.pages("letters", "leaf").at(3);
  const std::int64_t rows_on_page =
      PlainSqlite(scene.database()).number("SELECT ncell FROM dbstat WHERE pageno = " + std::to_string(page));
  scene.overwrite_page(page, '\0');
  const SalvageReport report = scene.salvage();
  CHECK_FALSE(report.is_complete());
  const auto& table = table_of(report, "letters");
  CHECK(table.rows == 2000 - rows_on_page);
  CHECK(table.lost_pages.first == std::vector<std::uint32_t>{page});
  CHECK(count_wrong(before, rows_of(scene.target(), "letters")) == 0);
  CHECK(table_of(report, "words").is_whole());
  CHECK(report.lost_and_found.empty());
}

TEST_CASE(
    "without an interior page of a table no row is lost: pages that nothing leads to go back to their gap") {
  for (const char* name : {"letters", "blobs"}) {
    CAPTURE(name);
    const SalvageScene scene;
    scene.make_letters(3000, "PRAGMA page_size=512;");
    const auto before = rows_of(scene.database(), name);
    const auto interior = scene.pages(name, "internal");
    scene.overwrite_page(interior.back(), '\0');
    const SalvageReport report = scene.salvage();
    CHECK(rows_of(scene.target(), name) == before);
    CHECK(table_of(report, name).placed_rows > 0);
    CHECK(table_of(report, name).lost_pages.total == 1);
    CHECK(report.lost_and_found.empty());
    CHECK_FALSE(report.is_complete());
  }
}

TEST_CASE("a root page that is overwritten costs no row of a table with rowids") {
  const SalvageScene scene;
  scene.make_letters(2000);
  const auto before = rows_of(scene.database(), "letters");
  scene.overwrite_page(scene.root("letters"), '\xff');
  const SalvageReport report = scene.salvage();
  CHECK(rows_of(scene.target(), "letters") == before);
  CHECK(table_of(report, "letters").placed_rows == 2000);
}

TEST_CASE("a root page of a table without rowids costs the rows that it held itself and no others") {
  const SalvageScene scene;
  scene.make_letters(2000);
  const auto before = rows_of(scene.database(), "words");
  const std::uint32_t root = scene.root("words");
  const std::int64_t rows_on_root =
      PlainSqlite(scene.database()).number("SELECT ncell FROM dbstat WHERE pageno = " + std::to_string(root));
  REQUIRE(rows_on_root > 0);
  scene.overwrite_page(root, '\xff');
  const SalvageReport report = scene.salvage();
  const auto after = rows_of(scene.target(), "words");
  CHECK(after.size() == before.size() - static_cast<std::size_t>(rows_on_root));
  CHECK(count_wrong(before, after) == 0);
  CHECK(report.lost_and_found.empty());
}

TEST_CASE("pages that could be of two tables go to lost_and_found, not to the wrong one") {
  const SalvageScene scene;
  scene.run(
      "CREATE TABLE one(id INTEGER PRIMARY KEY, t TEXT); CREATE TABLE two(id INTEGER PRIMARY KEY, t TEXT);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
      "INSERT INTO one SELECT i, 'first table ' || i FROM n;"
      "INSERT INTO two SELECT id, 'second table ' || id FROM one;");
  const std::uint32_t one = scene.root("one");
  const std::uint32_t two = scene.root("two");
  scene.overwrite_page(one, '\0');
  scene.overwrite_page(two, '\0');
  const SalvageReport report = scene.salvage();
  CHECK(report.lost_and_found_rows() == 2000);
  CHECK(table_of(report, "one").rows == 0);
  CHECK(count_in(scene.target(),
                 "lost_and_found WHERE c1 LIKE 'second table %' AND id BETWEEN 1 AND 1000 "
                 "AND nfield = 2 AND c1 = 'second table ' || id") == 1000);
}

TEST_CASE("a header of any page size that is garbled costs no row") {
  for (int size = 512; size <= 65536; size *= 2) {
    CAPTURE(size);
    const SalvageScene scene;
    // So many that the largest pages are several, too.
    scene.make_letters(6000, "PRAGMA page_size=" + std::to_string(size) + ";");
    const auto before = rows_of(scene.database(), "letters");
    scene.overwrite(0, std::string(100, '\x5a'));
    const SalvageReport report = scene.salvage();
    CHECK(report.page_size_bytes == static_cast<std::uint32_t>(size));
    CHECK(report.is_header_damaged);
    CHECK_FALSE(report.is_complete());
    CHECK(rows_of(scene.target(), "letters") == before);
    CHECK(report.lost_and_found.empty());
  }
}

TEST_CASE("the encoding of text is found when the header is lost") {
  for (const char* encoding : {"UTF-16le", "UTF-16be", "UTF-8"}) {
    CAPTURE(encoding);
    const SalvageScene scene;
    scene.make_letters(500, std::string("PRAGMA encoding='") + encoding + "';");
    const auto before = rows_of(scene.database(), "letters");
    scene.overwrite(0, std::string(100, '\0'));
    scene.salvage();
    CHECK(PlainSqlite(scene.target()).text("PRAGMA encoding") == encoding);
    CHECK(rows_of(scene.target(), "letters") == before);
  }
}

TEST_CASE("without a schema every row is in lost_and_found, and with the schema of a backup in its table") {
  const SalvageScene scene;
  scene.make_letters(1000);
  const auto letters = rows_of(scene.database(), "letters");
  const auto words = rows_of(scene.database(), "words");
  const auto backup = scene.folder() / "backup.db";
  std::filesystem::copy(scene.database(), backup);
  scene.overwrite_page(1, '\0');
  const SalvageReport without = scene.salvage();
  CHECK_FALSE(without.is_schema_whole);
  CHECK(without.tables.empty());
  CHECK(count_in(scene.target(), "lost_and_found WHERE c1 = 'letter number ' || id") == 1000);
  CHECK(count_in(scene.target(), "lost_and_found WHERE c0 LIKE 'word%' AND nfield = 2") == 1000);

  const SalvageReport with = scene.salvage({.deleted = false, .schema_from = backup});
  CHECK(rows_of(scene.target(), "letters") == letters);
  CHECK(rows_of(scene.target(), "words") == words);
  CHECK(has_note(with, "entries of the schema come from"));
  CHECK(integrity_of(scene.target()) == "ok");
}

TEST_CASE(
    "tables whose part of the schema is overwritten keep their rows in lost_and_found, the others are "
    "whole") {
  const SalvageScene scene;
  make_many_tables(scene, 20);
  const auto leaves = scene.pages("sqlite_schema", "leaf");
  REQUIRE(leaves.size() > 3);
  scene.overwrite_page(leaves.at(2), '\x11');
  const SalvageReport report = scene.salvage();
  CHECK_FALSE(report.is_schema_whole);
  CHECK(report.tables.size() >= 15);
  CHECK(report.tables.size() < 20);
  CHECK(report.rows_total() == static_cast<std::int64_t>(report.tables.size()) * 2);
  CHECK(report.lost_and_found_rows() == (20 - report.tables.size()) * 2);
}

TEST_CASE("an interior page of the schema that is lost costs no table") {
  const SalvageScene scene;
  make_many_tables(scene, 40);
  const std::string before = content_of(scene.database());
  // Page 1 is the root: its b-tree header, not that of the file.
  scene.overwrite(100, std::string(412, '\x77'));
  const SalvageReport report = scene.salvage();
  CHECK_FALSE(report.is_schema_whole);
  CHECK(report.tables.size() == 40);
  CHECK(content_of(scene.target()) == before);
}

TEST_CASE("a file that is cut off keeps what lies before the end") {
  const SalvageScene scene;
  scene.make_letters(2000);
  const auto before = rows_of(scene.database(), "letters");
  const auto leaves = scene.pages("letters", "leaf");
  const std::uint32_t last_kept = leaves.at(leaves.size() / 2);
  const std::uint64_t page_size = scene.page_size();
  const std::int64_t rows_kept =
      PlainSqlite(scene.database())
          .number(
              "SELECT sum(ncell) FROM dbstat WHERE name = 'letters' AND pagetype = "
              "'leaf' AND pageno <= " +
              std::to_string(last_kept));
  scene.truncate(last_kept * page_size + 100);
  const SalvageReport report = scene.salvage();
  CHECK(table_of(report, "letters").rows == rows_kept);
  CHECK(count_wrong(before, rows_of(scene.target(), "letters")) == 0);
  CHECK(has_note(report, "the file is cut off"));
  CHECK_FALSE(report.is_complete());
}

TEST_CASE("a row whose overflow pages are lost is kept in lost_and_found with its beginning") {
  const SalvageScene scene;
  scene.make_letters(100);
  const auto before = rows_of(scene.database(), "blobs");
  scene.overwrite_page(scene.pages("blobs", "overflow").at(2), '\xee');
  const SalvageReport report = scene.salvage();
  const auto after = rows_of(scene.target(), "blobs");
  CHECK(after.size() == 19);
  CHECK(count_wrong(before, after) == 0);
  CHECK(table_of(report, "blobs").lost_and_found == 1);
  CHECK(count_in(scene.target(),
                 "lost_and_found WHERE table_name = 'blobs' AND reason LIKE 'cut%' AND "
                 "length(c1) > 100 AND id NOT IN (SELECT id FROM blobs)") == 1);
}

TEST_CASE("a damaged free list costs no row and brings no deleted one back") {
  const SalvageScene scene;
  scene.make_letters(3000, "PRAGMA secure_delete=OFF; PRAGMA page_size=1024;");
  PlainSqlite database(scene.database());
  database.run("PRAGMA secure_delete=OFF; DELETE FROM letters WHERE id > 500");
  const auto before = rows_of(scene.database(), "letters");
  scene.overwrite(32, std::string("\x00\x00\x00\x05\x00\x00\x00\x63", 8));
  const SalvageReport report = scene.salvage();
  CHECK(report.is_complete());
  CHECK(rows_of(scene.target(), "letters") == before);
  CHECK(has_note(report, "the free list is damaged"));
}

TEST_CASE("deleted rows come back only when they are asked for, and only to lost_and_found") {
  const SalvageScene scene;
  scene.make_letters(3000, "PRAGMA page_size=1024;");
  PlainSqlite database(scene.database());
  database.run("PRAGMA secure_delete=OFF; DELETE FROM letters WHERE id > 500");
  const auto before = rows_of(scene.database(), "letters");
  CHECK(scene.salvage().lost_and_found.empty());
  const SalvageReport report = scene.salvage({.deleted = true, .schema_from = {}});
  CHECK(report.deleted_rows > 1000);
  CHECK(report.is_complete());
  CHECK(rows_of(scene.target(), "letters") == before);
  CHECK(count_in(scene.target(),
                 "lost_and_found WHERE reason = 'deleted' AND id > 500 AND "
                 "c1 = 'letter number ' || id") == static_cast<std::int64_t>(report.deleted_rows));
}

TEST_CASE("rows that break a constraint are kept in lost_and_found") {
  const SalvageScene scene;
  scene.run(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, mail TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'none', "
      "age INT CHECK (age > 0), code TEXT UNIQUE ON CONFLICT REPLACE);"
      "INSERT INTO t VALUES(1, 'a@example.org', 5, 'code-a'), (2, 'b@example.org', 6, 'code-b'), "
      "(3, 'c@example.org', 7, 'code-c');");
  // The third code becomes the second one.
  const std::string bytes = scene.bytes();
  const std::size_t place = bytes.find("code-c");
  REQUIRE(place != std::string::npos);
  for (std::size_t found = place; found != std::string::npos; found = bytes.find("code-c", found + 1)) {
    scene.overwrite(found, "code-b");
  }
  const SalvageReport report = scene.salvage();
  CHECK(table_of(report, "t").rows == 2);
  CHECK(table_of(report, "t").lost_and_found == 1);
  CHECK(report.rows_by_reason.begin()->first == "refused: SQLITE_CONSTRAINT_UNIQUE");
  CHECK(integrity_of(scene.target()) == "ok");
}

TEST_CASE("the statements of a schema can do nothing but make their object") {
  const SalvageScene scene;
  const std::string foreign = (scene.folder() / "foreign.db").string();
  scene.run(
      "CREATE TABLE kept(a); INSERT INTO kept VALUES(1); CREATE TABLE hit(a); INSERT INTO hit VALUES(7);"
      "CREATE TABLE other(a); CREATE VIEW v AS SELECT 1;"
      "PRAGMA writable_schema=ON;"
      "UPDATE sqlite_schema SET sql = 'CREATE TABLE hit AS SELECT randomblob(10) AS a' WHERE name = 'hit';"
      "UPDATE sqlite_schema SET sql = 'CREATE TABLE kept(b)' WHERE name = 'other';"
      "UPDATE sqlite_schema SET sql = 'CREATE VIEW v AS SELECT 1; ATTACH ''" +
      foreign + "'' AS f' WHERE name = 'v';");
  const SalvageReport report = scene.salvage();
  CHECK(report.lost_objects.size() == 3);
  CHECK_FALSE(std::filesystem::exists(foreign));
  CHECK(count_in(scene.target(), "kept WHERE a = 1") == 1);
  CHECK(count_in(scene.target(), "lost_and_found WHERE table_name = 'hit' AND c0 = 7") == 1);
}

TEST_CASE("a view, a trigger and an index whose statement is damaged are named, and the rest is whole") {
  const SalvageScene scene;
  scene.make_letters(300);
  scene.run(
      "CREATE VIEW sight AS SELECT id FROM letters; CREATE TRIGGER move AFTER INSERT ON words BEGIN SELECT "
      "1; "
      "END; PRAGMA writable_schema=ON;"
      "UPDATE sqlite_schema SET sql = replace(sql, 'SELECT', 'SLXCT') WHERE name IN ('sight', 'move');");
  const SalvageReport report = scene.salvage();
  REQUIRE(report.lost_objects.size() == 2);
  CHECK(report.lost_objects[0].name == "sight");
  CHECK(report.lost_objects[1].name == "move");
  CHECK_FALSE(report.is_complete());
  CHECK(table_of(report, "letters").rows == 300);
}

TEST_CASE("FTS5 finds what its tables still hold, and the report says when they lost rows") {
  const SalvageScene scene;
  scene.run(
      "PRAGMA page_size=1024; CREATE VIRTUAL TABLE docs USING fts5(body);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
      "INSERT INTO docs SELECT 'a common word and number ' || i FROM n;");
  scene.overwrite_page(scene.pages("docs_content", "leaf").at(5), '\0');
  const SalvageReport report = scene.salvage();
  CHECK(table_of(report, "docs_content").lost_pages.total == 1);
  CHECK(has_note(report, "virtual table docs"));
  PlainSqlite(scene.target()).run("INSERT INTO docs(docs) VALUES('rebuild')");
  CHECK(count_in(scene.target(), "docs WHERE docs MATCH 'common'") == table_of(report, "docs_content").rows);
}

TEST_CASE("what is committed in a -wal is read, what is not is left out, and neither file is changed") {
  const SalvageScene scene;
  scene.run("PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);");
  run_sql_and_die(scene.database(),
                  "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=5; PRAGMA cache_spill=5;"
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
                  "INSERT INTO t SELECT i, 'committed ' || i FROM n;"
                  "BEGIN; UPDATE t SET v = 'not committed ' || id;");
  const auto wal = scene.folder() / "damaged.db-wal";
  REQUIRE(std::filesystem::file_size(wal) > 100'000);
  const std::string before = bytes_of(wal) + scene.bytes();
  const SalvageReport report = scene.salvage();
  CHECK(report.is_complete());
  CHECK(has_note(report, "were read from damaged.db-wal"));
  CHECK(count_in(scene.target(), "t WHERE v = 'committed ' || id") == 5000);
  CHECK(count_in(scene.target(), "t") == 5000);
  CHECK(bytes_of(wal) + scene.bytes() == before);
}

TEST_CASE("transactions behind a damaged frame of a -wal are told as lost") {
  const SalvageScene scene;
  scene.run("PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);");
  run_sql_and_die(scene.database(),
                  "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(1, 'first');"
                  "INSERT INTO t VALUES(2, 'second'); INSERT INTO t VALUES(3, 'third');");
  const auto wal = scene.folder() / "damaged.db-wal";
  std::string bytes = bytes_of(wal);
  // The last byte of the second of three frames.
  const std::size_t frame = 24 + scene.page_size();
  std::filesystem::remove(scene.folder() / "damaged.db-shm");
  REQUIRE(bytes.size() >= 32 + 3 * frame);
  bytes[bytes.size() - frame - 1] = static_cast<char>(bytes[bytes.size() - frame - 1] ^ 1);
  std::ofstream(wal, std::ios::binary | std::ios::trunc) << bytes;
  const SalvageReport report = scene.salvage();
  CHECK(report.has_lost_transactions);
  CHECK_FALSE(report.is_complete());
  CHECK(has_note(report, "behind a damaged frame"));
  CHECK(count_in(scene.target(), "t") < 3);
}

TEST_CASE("with a journal that a dead process left, the state before its transaction is read") {
  const SalvageScene scene;
  scene.make_letters(1000);
  const auto before = rows_of(scene.database(), "letters");
  run_sql_and_die(scene.database(),
                  "PRAGMA cache_size=5; PRAGMA cache_spill=5; BEGIN;"
                  "UPDATE letters SET text = 'half done'; DELETE FROM words;");
  const auto journal = scene.folder() / "damaged.db-journal";
  REQUIRE(std::filesystem::file_size(journal) > 10'000);
  REQUIRE(scene.bytes().find("half done") != std::string::npos);
  const std::string journal_before = bytes_of(journal);
  const SalvageReport report = scene.salvage();
  CHECK(rows_of(scene.target(), "letters") == before);
  CHECK(count_in(scene.target(), "words") == 1000);
  CHECK(has_note(report, "the state before it was read"));
  CHECK(bytes_of(journal) == journal_before);
}

TEST_CASE("the new file is for its user only, replaces nothing, and nothing is left where salvage fails") {
  const SalvageScene scene;
  scene.make_letters(100);
  scene.salvage();
  struct stat status {};
  REQUIRE(::stat(scene.target().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const std::string first = bytes_of(scene.target());
  CHECK_THROWS_AS(nerve::backups::salvage_database(scene.database(), scene.target(), {}, nullptr),
                  nerve::ConflictError);
  CHECK(bytes_of(scene.target()) == first);

  const auto noise = scene.folder() / "noise.db";
  std::ofstream(noise) << std::string(50'000, 'x');
  CHECK_THROWS_AS(nerve::backups::salvage_database(noise, scene.folder() / "new.db", {}, nullptr),
                  nerve::IntegrityError);
  CHECK_THROWS_AS(
      nerve::backups::salvage_database(scene.folder() / "missing.db", scene.folder() / "new.db", {}, nullptr),
      nerve::NotFoundError);
  std::ofstream(scene.folder() / "beside.db-wal") << "of another database";
  CHECK_THROWS_AS(
      nerve::backups::salvage_database(scene.database(), scene.folder() / "beside.db", {}, nullptr),
      nerve::ConflictError);
  for (const auto& entry : std::filesystem::directory_iterator(scene.folder().path())) {
    CAPTURE(entry.path().string());
    CHECK(entry.path().filename().string().find("nerve-restore") == std::string::npos);
    CHECK(entry.path().filename() != "new.db");
  }
}

TEST_CASE("what a killed salvage left is removed by the next one") {
  const SalvageScene scene;
  scene.make_letters(100);
  const auto left_over = scene.folder() / ".salvaged.db.nerve-restore";
  std::ofstream(left_over) << "half of a database";
  CHECK(scene.salvage().is_complete());
  CHECK_FALSE(std::filesystem::exists(left_over));
  CHECK(integrity_of(scene.target()) == "ok");
}
