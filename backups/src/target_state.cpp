// SPDX-License-Identifier: Apache-2.0
#include "target_state.h"

#include "durable_file.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/error.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>

namespace nerve::backups {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

/// Linux stamps files by its timer tick, which comes every 10 ms on the slowest kernels.
constexpr std::chrono::milliseconds tick_wait{1};
constexpr int tick_waits_max = 20;

std::optional<struct stat> status_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  throw_system_error(errno, "cannot look at", path);
}

FileTrace trace_of(const std::optional<struct stat>& status) {
  if (!status || status->st_size == 0) return {};
  return {static_cast<std::uint64_t>(status->st_size),
          std::int64_t{status->st_mtim.tv_sec} * ns_per_second + status->st_mtim.tv_nsec};
}

/// Returns when a write from now on changes the time of a file that was last written at `modified_ns`. The
/// clock read here is the one that file times are taken from. A time in the future, from a clock that was set
/// back, is not waited for.
void wait_for_tick_after(std::int64_t modified_ns) {
  for (int waits = 0; waits < tick_waits_max; ++waits) {
    struct timespec now {};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (std::int64_t{now.tv_sec} * ns_per_second + now.tv_nsec > modified_ns) return;
    std::this_thread::sleep_for(tick_wait);
  }
}

/// In exclusive locking mode a WAL database is locked against readers too, and an idle connection in WAL mode
/// holds a lock.
void lock_whole_database(sqlite::Session& session) {
  session.execute("PRAGMA locking_mode=EXCLUSIVE");
  try {
    session.execute("BEGIN EXCLUSIVE");
    session.execute("COMMIT");
  } catch (const ConnectionError& error) {
    throw ConflictError(fmt::format("{} is in use by another connection", session.path().string()),
                        error.hint());
  }
}

}  // namespace

TargetState look_at(const std::filesystem::path& database) {
  TargetState state;
  const std::optional<struct stat> status = status_of(database);
  if (status) {
    state.exists = true;
    state.device = status->st_dev;
    state.inode = status->st_ino;
    state.mode = status->st_mode & 0777;
    state.owner = status->st_uid;
    state.group = status->st_gid;
  }
  state.database = trace_of(status);
  state.wal = trace_of(status_of(sqlite::companion(database, "-wal")));
  state.journal = trace_of(status_of(sqlite::companion(database, "-journal")));
  return state;
}

void roll_back_journal(const std::filesystem::path& database) {
  if (!sqlite::read_file_facts(database).is_journal_live) return;
  sqlite::Session session(database, {.mode = sqlite::OpenMode::read_write});
  session.integer("SELECT count(*) FROM sqlite_schema");
}

std::optional<TargetState> bring_to_rest(const std::filesystem::path& database, const TargetState& before,
                                         int busy_timeout_ms) {
  sqlite::Session session(database, {sqlite::OpenMode::read_write, busy_timeout_ms});
  lock_whole_database(session);
  // From here on no other connection can write, so what is seen now stays so.
  if (look_at(database) != before) return std::nullopt;
  if (session.integer("PRAGMA wal_checkpoint(TRUNCATE)") != 0) {
    throw ConflictError(fmt::format("{} is in use by another connection", database.string()),
                        "Stop what uses it, or restore into a new file with --to.");
  }
  const TargetState at_rest = look_at(database);
  wait_for_tick_after(at_rest.database.modified_ns);
  // Nothing is left to checkpoint, so closing removes the -wal and does not touch the database.
  return at_rest;
}

}  // namespace nerve::backups
