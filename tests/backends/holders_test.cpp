// SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite_database.h"
#include "sqlite/write_lock.h"
#include "support/effort.h"
#include "support/temp_folder.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/error.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

using nerve::sqlite::ExclusiveLease;
using nerve::sqlite::find_holders;
using nerve::sqlite::Holder;
using nerve::sqlite::Holders;
using namespace nerve::test;

namespace {

OtherProcess open_and_stay(const std::filesystem::path& path) {
  return OtherProcess([&](const std::function<void()>& stay) {
    if (::open(path.c_str(), O_RDONLY) >= 0) stay();
  });
}

bool is_named(const Holders& holders, pid_t pid) {
  return std::ranges::find(holders.processes, pid, &Holder::pid) != holders.processes.end();
}

/// Whether another process finds the byte locked that SQLite's writers lock: PENDING_BYTE + 1 of
/// https://www.sqlite.org/fileformat2.html#the_lock_byte_page.
bool is_write_locked(const std::filesystem::path& path) {
  return run_in_other_process([&] {
           const int file = ::open(path.c_str(), O_RDONLY);
           struct flock lock {};
           lock.l_type = F_WRLCK;
           lock.l_whence = SEEK_SET;
           lock.l_start = 0x40000001;
           lock.l_len = 1;
           return ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 1 : 0;
         }) == 1;
}

bool are_leases_supported(const TempFolder& folder) {
  make_database(folder / "lease", "CREATE TABLE t(a)");
  if (ExclusiveLease(folder / "lease").state() != ExclusiveLease::State::unsupported) return true;
  MESSAGE("skipped: the file system knows no leases");
  return false;
}

}  // namespace

TEST_CASE("a process that has the database or its -wal open is named, until it ends") {
  const TempFolder folder;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  write_bytes(folder / "a.db-wal", "");
  if (!find_holders(folder / "a.db").is_scanned) {
    MESSAGE("skipped: there is no /proc to find processes in");
    return;
  }
  for (const char* name : {"a.db", "a.db-wal"}) {
    CAPTURE(name);
    OtherProcess other = open_and_stay(folder / name);
    const pid_t pid = other.pid();
    const Holders holders = find_holders(folder / "a.db");
    CHECK(is_named(holders, pid));
    CHECK(holders.describe().find("pid " + std::to_string(pid)) != std::string::npos);
    other.kill();
    CHECK_FALSE(is_named(find_holders(folder / "a.db"), pid));
  }
}

TEST_CASE("this process is not among the holders") {
  const TempFolder folder;
  SqliteDatabase database(folder / "a.db");
  database.execute("CREATE TABLE t(a)");
  CHECK(find_holders(folder / "a.db").processes.empty());
}

TEST_CASE("a lease is held where nobody has the file open, and tells when somebody comes") {
  const TempFolder folder;
  if (!are_leases_supported(folder)) return;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  ExclusiveLease lease(folder / "a.db");
  REQUIRE(lease.state() == ExclusiveLease::State::held);
  CHECK(lease.is_undisturbed());
  const int answer = run_in_other_process(
      [&] { return ::open((folder / "a.db").c_str(), O_RDONLY | O_NONBLOCK) < 0 ? errno : 0; });
  CHECK(answer == EWOULDBLOCK);
  CHECK_FALSE(lease.is_undisturbed());
  ExclusiveLease moved = std::move(lease);
  moved.release();
  CHECK(run_in_other_process(
            [&] { return ::open((folder / "a.db").c_str(), O_RDONLY | O_NONBLOCK) < 0 ? 1 : 0; }) == 0);
}

TEST_CASE("a lease is busy while another process or this one has the file open") {
  const TempFolder folder;
  if (!are_leases_supported(folder)) return;
  make_database(folder / "a.db", "CREATE TABLE t(a)");
  {
    const OtherProcess other = open_and_stay(folder / "a.db");
    CHECK(ExclusiveLease(folder / "a.db").state() == ExclusiveLease::State::busy);
  }
  CHECK(ExclusiveLease(folder / "a.db").state() == ExclusiveLease::State::held);
  SqliteDatabase database(folder / "a.db");
  database.execute("SELECT * FROM t");
  CHECK(ExclusiveLease(folder / "a.db").state() == ExclusiveLease::State::busy);
}

TEST_CASE("whoever asks for a lease or for the writer, a transaction of another thread keeps its lock") {
  const TempFolder folder;
  const std::filesystem::path path = folder / "a.db";
  make_database(path, "CREATE TABLE t(a)");
  std::atomic<bool> is_done = false;
  std::thread leasing([&] {
    while (!is_done) const ExclusiveLease lease(path);
  });
  std::thread looking([&] {
    const nerve::sqlite::FileFacts facts = nerve::sqlite::read_file_facts(path);
    while (!is_done) nerve::sqlite::find_write_lock(facts);
  });
  int lost = 0;
  const int transactions = scaled(500, 20'000);
  for (int i = 0; i < transactions; ++i) {
    SqliteDatabase database(path);
    database.execute("BEGIN IMMEDIATE");
    // As long as a transaction at work, so that one that asks comes to its end meanwhile.
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    if (!is_write_locked(path)) ++lost;
    database.execute("ROLLBACK");
  }
  is_done = true;
  leasing.join();
  looking.join();
  CHECK(lost == 0);
}

TEST_CASE("a lease guards any file, also a damaged one, and is an error where there is none") {
  const TempFolder folder;
  write_bytes(folder / "damaged.db", "no database any more");
  CHECK_NOTHROW(ExclusiveLease(folder / "damaged.db"));
  if (are_leases_supported(folder)) {
    CHECK(ExclusiveLease(folder / "damaged.db").state() == ExclusiveLease::State::held);
    const OtherProcess other = open_and_stay(folder / "damaged.db");
    CHECK(ExclusiveLease(folder / "damaged.db").state() == ExclusiveLease::State::busy);
  }
  CHECK_THROWS_AS(ExclusiveLease(folder.path()), nerve::ValidationError);
  CHECK_THROWS_AS(ExclusiveLease(folder / "none.db"), nerve::NotFoundError);
}
