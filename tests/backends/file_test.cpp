// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/file.h"

#include "backends/sqlite_database.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"
#include "support/test_data.h"

#include "nerve/backends/sqlite/raw_file.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <thread>

using nerve::ErrorKind;
using nerve::sqlite::FileFacts;
using nerve::sqlite::FileKind;
using nerve::sqlite::read_file_facts;
using nerve::sqlite::require_database;
using nerve::sqlite::TextEncoding;
using namespace nerve::test;

namespace {

FileKind kind_of(const std::filesystem::path& path) {
  return read_file_facts(path).kind;
}

ErrorKind refusal_of(const std::filesystem::path& path) {
  try {
    require_database(read_file_facts(path));
  } catch (const nerve::Error& error) {
    CHECK(std::string(error.what()).find(path.filename().string()) != std::string::npos);
    CHECK_FALSE(error.hint().empty());
    return error.kind();
  }
  FAIL("it passed as a database");
  return ErrorKind::failure;
}

/// Whether another process than this one holds the lock of a writer.
bool holds_reserved_lock(const std::filesystem::path& path) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0x40000001;  // RESERVED_BYTE of SQLite's os.h
  lock.l_len = 1;
  const int file = ::open(path.c_str(), O_RDWR);
  return file >= 0 && ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
}

}  // namespace

TEST_CASE("facts tell what stands at a path, and what is no database is refused with a remedy") {
  const TempFolder folder;
  SUBCASE("nothing") {
    CHECK(kind_of(folder / "none.db") == FileKind::missing);
    CHECK(refusal_of(folder / "none.db") == ErrorKind::not_found);
    CHECK(kind_of(folder / "none" / "below.db") == FileKind::missing);
  }
  SUBCASE("a folder") {
    CHECK(kind_of(folder.path()) == FileKind::folder);
    CHECK(refusal_of(folder.path()) == ErrorKind::invalid);
  }
  SUBCASE("a pipe, which is not waited for") {
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    CHECK(kind_of(folder / "pipe") == FileKind::not_regular);
    CHECK(refusal_of(folder / "pipe") == ErrorKind::invalid);
  }
  SUBCASE("text") {
    write_bytes(folder / "text", std::string(1024, 'x'));
    CHECK(kind_of(folder / "text") == FileKind::not_sqlite);
    CHECK(refusal_of(folder / "text") == ErrorKind::integrity);
  }
  SUBCASE("zero bytes, which SQLite opens as an empty database") {
    write_bytes(folder / "empty", "");
    CHECK(kind_of(folder / "empty") == FileKind::empty);
    CHECK_NOTHROW(require_database(read_file_facts(folder / "empty")));
  }
  SUBCASE("the magic words alone: a database cut off") {
    write_bytes(folder / "cut", std::string("SQLite format 3\0", 16));
    CHECK(kind_of(folder / "cut") == FileKind::sqlite);
    CHECK_FALSE(read_file_facts(folder / "cut").header);
  }
  SUBCASE("a database") {
    make_database(folder / "a.db", "CREATE TABLE t(a)");
    CHECK(kind_of(folder / "a.db") == FileKind::sqlite);
    CHECK_NOTHROW(require_database(read_file_facts(folder / "a.db")));
  }
}

TEST_CASE("random bytes in whole sectors are told from other files that are no database") {
  // An SQLCipher database is random from its first byte on (salt, then ciphertext) and consists of pages.
  const TempFolder folder;
  write_bytes(folder / "cipher.db", random_bytes(8192));
  CHECK(kind_of(folder / "cipher.db") == FileKind::maybe_encrypted);
  CHECK(refusal_of(folder / "cipher.db") == ErrorKind::integrity);
  write_bytes(folder / "odd", random_bytes(8191));
  CHECK(kind_of(folder / "odd") == FileKind::not_sqlite);
  write_bytes(folder / "zeros", std::string(8192, '\0'));
  CHECK(kind_of(folder / "zeros") == FileKind::not_sqlite);
}

TEST_CASE("the header is read as SQLite reads it") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute(
      "PRAGMA page_size=65536; PRAGMA encoding='UTF-16be'; PRAGMA user_version=77; PRAGMA "
      "application_id=4711");
  database.execute("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(300000)); DELETE FROM t");
  const FileFacts facts = read_file_facts(folder / "a.db");
  REQUIRE(facts.header);
  CHECK(facts.header->page_size_bytes == database.integer("PRAGMA page_size"));
  CHECK(facts.header->page_count == database.integer("PRAGMA page_count"));
  CHECK(facts.header->has_valid_page_count);
  CHECK(facts.header->free_page_count == database.integer("PRAGMA freelist_count"));
  CHECK(facts.header->free_page_count > 0);
  CHECK(facts.header->schema_cookie == database.integer("PRAGMA schema_version"));
  CHECK(facts.header->user_version == 77);
  CHECK(facts.header->application_id == 4711);
  CHECK(facts.header->encoding == TextEncoding::utf16_big_endian);
  CHECK_FALSE(facts.header->is_wal);
  CHECK(facts.size_bytes == facts.header->page_count * 65536U);
}

TEST_CASE("an invalid page size in the header is told as none") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  std::string bytes = bytes_of(folder / "a.db");
  bytes[16] = 3;
  write_bytes(folder / "a.db", bytes);
  REQUIRE(read_file_facts(folder / "a.db").header);
  CHECK(read_file_facts(folder / "a.db").header->page_size_bytes == 0);
}

TEST_CASE("facts name the companions of a database in WAL mode") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
  const FileFacts facts = read_file_facts(folder / "a.db");
  REQUIRE(facts.header);
  CHECK(facts.header->is_wal);
  CHECK(facts.wal_bytes == std::filesystem::file_size(folder / "a.db-wal"));
  CHECK(facts.shm_bytes == std::filesystem::file_size(folder / "a.db-shm"));
  CHECK_FALSE(facts.journal_bytes);
}

TEST_CASE("a journal counts as live only while it has its beginning") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute("PRAGMA journal_mode=PERSIST; CREATE TABLE t(a); PRAGMA cache_size=1");
  // SQLite ends a transaction in this mode by overwriting the beginning of the journal with zeros.
  CHECK(read_file_facts(folder / "a.db").journal_bytes.value_or(0) > 0);
  CHECK_FALSE(read_file_facts(folder / "a.db").is_journal_live);
  database.execute(
      "BEGIN; INSERT INTO t SELECT randomblob(1000) FROM json_each('[' || substr(replace(hex(zeroblob(200)), "
      "'00', ',1'), 2) || ']')");
  CHECK(read_file_facts(folder / "a.db").is_journal_live);
  database.execute("ROLLBACK");
}

TEST_CASE("the path is canonical and a symbolic link is followed") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  std::filesystem::create_symlink("a.db", folder / "link");
  CHECK(read_file_facts(folder / "link").path == std::filesystem::canonical(folder / "a.db"));
  CHECK(read_file_facts(folder / "link").kind == FileKind::sqlite);
  std::filesystem::create_symlink("gone", folder / "dangling");
  CHECK(kind_of(folder / "dangling") == FileKind::missing);
}

TEST_CASE("looking at a file keeps the locks that this process holds on it") {
  // POSIX drops all locks of a process on a file when it closes any descriptor of it; SQLite's would be among
  // them.
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute("CREATE TABLE t(a); BEGIN IMMEDIATE");
  CHECK(read_file_facts(folder / "a.db").kind == FileKind::sqlite);
  const int is_locked = run_in_other_process([&] { return holds_reserved_lock(folder / "a.db") ? 1 : 0; });
  CHECK(is_locked == 1);
}

TEST_CASE("a file is what it is while another thread opens and closes it") {
  const TempFolder folder;
  const std::filesystem::path path = folder / "a.db";
  SqliteDatabase(path).execute("CREATE TABLE t(a)");
  std::atomic<bool> is_done = false;
  std::thread other([&] {
    // What is opened next gets the number of what was closed.
    while (!is_done) {
      for (const char* opened : {path.c_str(), "/etc/passwd"}) {
        const int number = ::open(opened, O_RDONLY);
        ::usleep(20);
        ::close(number);
      }
    }
  });
  int wrong = 0;
  for (int look = 0; look < 2'000; ++look) {
    if (kind_of(path) != FileKind::sqlite) ++wrong;
  }
  is_done = true;
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("two threads that look at one database while others open and close it see its bytes only") {
  const TempFolder folder;
  const std::filesystem::path path = folder / "a.db";
  SqliteDatabase(path).execute("CREATE TABLE t(a)");
  std::atomic<bool> is_done = false;
  std::atomic<int> wrong = 0;
  const auto look = [&] {
    for (int count = 0; count < 1'000; ++count) {
      const FileFacts facts = read_file_facts(path);
      if (facts.kind != FileKind::sqlite || !facts.header || facts.header->page_count != 2) ++wrong;
    }
  };
  std::thread other([&] {
    while (!is_done) {
      SqliteDatabase(path).execute("SELECT count(*) FROM t");
      const int number = ::open("/etc/passwd", O_RDONLY);
      ::usleep(20);
      ::close(number);
    }
  });
  std::thread first(look);
  std::thread second(look);
  first.join();
  second.join();
  is_done = true;
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("raw bytes are those of the file, and reading them keeps the locks that this process holds") {
  const TempFolder folder;
  const std::filesystem::path path = folder / "a.db";
  SqliteDatabase(path).execute("CREATE TABLE t(a)");
  const std::string bytes = bytes_of(path);
  SqliteDatabase database(path);
  database.execute("BEGIN IMMEDIATE");
  {
    const nerve::sqlite::RawFile raw(path);
    CHECK(raw.size_bytes() == bytes.size());
    std::string read(bytes.size(), ' ');
    CHECK(raw.read(0, std::as_writable_bytes(std::span(read))) == bytes.size());
    CHECK(read == bytes);
    CHECK(raw.read(bytes.size() - 10, std::as_writable_bytes(std::span(read))) == 10);
    CHECK(raw.read(bytes.size(), std::as_writable_bytes(std::span(read))) == 0);
  }
  const int is_locked = run_in_other_process([&] { return holds_reserved_lock(path) ? 1 : 0; });
  CHECK(is_locked == 1);
  CHECK_THROWS_AS(nerve::sqlite::RawFile(folder / "none.db"), nerve::NotFoundError);
  CHECK_FALSE(std::filesystem::exists(folder / "none.db"));
}

TEST_CASE("a file that may not be read is denied") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((folder / "a.db").c_str(), 0) == 0);
  const int kind = run_in_other_process([&] {
    // Root may read everything, so the question is asked as nobody.
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 254;
    return static_cast<int>(kind_of(folder / "a.db"));
  });
  CHECK(kind == static_cast<int>(FileKind::denied));
}

TEST_CASE("every real database passes as one") {
  const auto data = test_data("sqlite");
  if (!data) {
    MESSAGE("skipped: the real databases are not there");
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(*data)) {
    if (entry.path().extension() == ".md") continue;
    CAPTURE(entry.path());
    const FileFacts facts = read_file_facts(entry.path());
    CHECK(facts.kind == FileKind::sqlite);
    REQUIRE(facts.header);
    CHECK(std::uint64_t{facts.header->page_count} * facts.header->page_size_bytes == facts.size_bytes);
  }
}
