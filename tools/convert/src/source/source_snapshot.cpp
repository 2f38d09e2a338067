// SPDX-License-Identifier: Apache-2.0
#include "source/source_snapshot.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <thread>

namespace nerve::convert {
namespace {

constexpr int attempts_max = 50;
constexpr std::chrono::milliseconds pause_between_attempts{20};

/// What a commit changes, as far as the file system tells.
struct FileState {
  explicit FileState(const std::filesystem::path& path) : facts(sqlite::read_file_facts(path)) {
    std::error_code ignored;
    wal_time = std::filesystem::last_write_time(sqlite::companion(facts.path, "-wal"), ignored);
  }
  bool operator==(const FileState& other) const {
    return facts.inode == other.facts.inode && facts.size_bytes == other.facts.size_bytes &&
           facts.modified_ns == other.facts.modified_ns && facts.wal_bytes == other.facts.wal_bytes &&
           wal_time == other.wal_time;
  }

  sqlite::FileFacts facts;
  std::filesystem::file_time_type wal_time;
};

bool may_write(const std::filesystem::path& path) noexcept {
  return ::access(path.c_str(), W_OK) == 0;
}

/// A connection that keeps writers out until its transaction ends, where the file and its folder may be
/// written.
std::unique_ptr<sqlite::Session> lock_if_possible(const std::filesystem::path& path) {
  const sqlite::FileFacts facts = sqlite::read_file_facts(path);
  sqlite::require_database(facts);
  if (!may_write(facts.path) || !may_write(facts.path.parent_path())) return nullptr;
  auto session =
      std::make_unique<sqlite::Session>(path, sqlite::SessionOptions{.mode = sqlite::OpenMode::read_write});
  // Nothing is to be written to the source, not even what its -wal holds. Where there was none, or an empty
  // one such as a run leaves that is killed, the new one goes.
  if (facts.wal_bytes.value_or(0) > 0)
    ::sqlite3_db_config(session->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  session->execute("BEGIN IMMEDIATE");
  return session;
}

}  // namespace

SourceSnapshot::SourceSnapshot(const std::filesystem::path& path, int readers) {
  keeper_ = lock_if_possible(path);
  if (keeper_) {
    open_readers(path, readers);
    keeper_->execute("ROLLBACK");
    return;
  }
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    throw_if_interrupted();
    const FileState before(path);
    open_readers(path, readers);
    if (FileState(path) == before) return;
    readers_.clear();
    std::this_thread::sleep_for(pause_between_attempts);
  }
  throw ConflictError(
      path.string() + " is being written all the time",
      "Convert as a user who may write it, so that its writers can be held back for a moment, "
      "or convert a backup of it.");
}

SourceSnapshot::~SourceSnapshot() = default;

void SourceSnapshot::open_readers(const std::filesystem::path& path, int count) {
  for (int i = 0; i < count; ++i) {
    auto session = std::make_unique<sqlite::Session>(path);
    ::sqlite3_db_config(session->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    session->execute("BEGIN");
    // BEGIN alone takes no lock; the first read pins the state.
    session->integer("SELECT count(*) FROM sqlite_schema");
    readers_.push_back(std::move(session));
  }
}

void SourceSnapshot::stand_in_for_collations() {
  for (const auto& reader : readers_) {
    stand_ins_.push_back(std::make_unique<sqlite::StandIns>(*reader));
    // SQLite gives up an index, also the one that is its table, as soon as it misses a collation, until the
    // schema is loaded anew.
    reader->execute("PRAGMA writable_schema=RESET");
  }
}

std::string SourceSnapshot::take_stand_in_used(std::size_t reader) {
  return stand_ins_.empty() ? std::string() : stand_ins_.at(reader)->take_used_collation();
}

void SourceSnapshot::require_unchanged() const {
  for (const auto& reader : readers_) reader->require_unchanged();
}

}  // namespace nerve::convert
