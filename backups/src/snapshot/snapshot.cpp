// SPDX-License-Identifier: Apache-2.0
#include "snapshot/snapshot.h"

#include "snapshot/page_sink.h"
#include "snapshot/sink_vfs.h"
#include "snapshot/source_vfs.h"
#include "snapshot/spool.h"

#include "nerve/backends/sqlite/errors.h"
#include "nerve/core/error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace nerve::backups {
namespace {

constexpr int all_pages = -1;
/// Each page passes once, so the caches hold what SQLite has in its hands.
constexpr int cache_pages = 16;
constexpr std::size_t wal_version_offset = 19;
constexpr std::byte wal_version{2};

struct CloseDatabase {
  void operator()(::sqlite3* database) const noexcept { ::sqlite3_close(database); }
};
using Database = std::unique_ptr<::sqlite3, CloseDatabase>;

struct FinishBackup {
  void operator()(::sqlite3_backup* backup) const noexcept { ::sqlite3_backup_finish(backup); }
};
using PageCopy = std::unique_ptr<::sqlite3_backup, FinishBackup>;

[[noreturn]] void throw_read_error(int code, const std::filesystem::path& path) {
  sqlite::throw_sqlite_error(code, "cannot read the pages of", path, sqlite::HolderHint::included);
}

/// An empty database that no journal, lock or sync belongs to.
Database open_sink(const SinkVfs& vfs, const std::filesystem::path& source) {
  ::sqlite3* raw = nullptr;
  const int opened = ::sqlite3_open_v2(
      "pages", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE, vfs.name().c_str());
  Database sink(raw);
  if (opened != SQLITE_OK) throw_read_error(opened, source);
  const std::string pragmas = fmt::format(
      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size={}",
      cache_pages);
  const int configured = ::sqlite3_exec(raw, pragmas.c_str(), nullptr, nullptr, nullptr);
  if (configured != SQLITE_OK) throw_read_error(configured, source);
  return sink;
}

/// As SQLite counts them. PRAGMA page_count would want a sound schema.
std::uint32_t count_pages(sqlite::Session& source) {
  ::sqlite3* raw = nullptr;
  const int opened = ::sqlite3_open(":memory:", &raw);
  const Database target(raw);
  if (opened != SQLITE_OK) throw_read_error(opened, source.path());
  const PageCopy copy(::sqlite3_backup_init(raw, "main", source.handle(), "main"));
  if (!copy) throw_read_error(::sqlite3_extended_errcode(raw), source.path());
  // A step of no pages only looks; an empty database is done.
  const int stepped = ::sqlite3_backup_step(copy.get(), 0);
  if (stepped != SQLITE_OK && stepped != SQLITE_DONE) throw_read_error(stepped, source.path());
  return static_cast<std::uint32_t>(::sqlite3_backup_pagecount(copy.get()));
}

/// By SQLite's backup API, which reads the database in the transaction that is open. In one step: with more
/// it would begin again when somebody writes.
void read_by_backup(sqlite::Session& source, const SnapshotShape& shape, ByteView first_page,
                    const TakePage& take) {
  PageSink sink(shape, first_page, take, source.path());
  SinkVfs vfs(sink);
  {
    const Database target = open_sink(vfs, source.path());
    PageCopy copy(::sqlite3_backup_init(target.get(), "main", source.handle(), "main"));
    if (!copy) throw_read_error(::sqlite3_extended_errcode(target.get()), source.path());
    const int stepped = ::sqlite3_backup_step(copy.get(), all_pages);
    vfs.rethrow_failure();
    if (stepped != SQLITE_DONE) throw_read_error(stepped, source.path());
    const int finished = ::sqlite3_backup_finish(copy.release());
    if (finished != SQLITE_OK) throw_read_error(finished, source.path());
  }
  sink.finish();
}

}  // namespace

struct Snapshot::Reading {
  Reading(const sqlite::FileFacts& facts, sqlite::SessionOptions options) : path(facts.path) {
    options.vfs = vfs.name();
    session.emplace(path, options);
    session->execute("BEGIN");
    // BEGIN alone takes no lock; the first read pins the state. This one also reads where the schema is
    // damaged.
    session->integer("PRAGMA user_version");
    vfs.stop_watching();
    shape.page_size_bytes = static_cast<std::uint32_t>(session->integer("PRAGMA page_size"));
    shape.page_count = count_pages(*session);
    if (shape.page_count == 0) return;
    if (vfs.first_page().size() != shape.page_size_bytes) {
      throw Error(ErrorKind::failure,
                  fmt::format("page 1 of {} was not seen when it was read", path.string()));
    }
    shape.is_wal = vfs.first_page()[wal_version_offset] == wal_version;
  }

  /// Hands over what is pinned, in the transaction or after it.
  void read_pages(const TakePage& take) {
    if (::sqlite3_txn_state(session->handle(), "main") != SQLITE_TXN_READ) {
      throw Error(ErrorKind::failure, fmt::format("the read transaction on {} has ended", path.string()));
    }
    if (shape.page_count == 0) return session->require_unchanged();
    const bool do_writers_wait = !shape.is_wal && session->mode() != sqlite::OpenMode::immutable;
    if (do_writers_wait) {
      if (const std::optional<Spool> spool = Spool::copy(*session, shape)) {
        session.reset();
        return spool->read_pages(take);
      }
    }
    read_by_backup(*session, shape, vfs.first_page(), take);
    session->require_unchanged();
  }

  std::filesystem::path path;
  SnapshotShape shape;
  SourceVfs vfs;
  std::optional<sqlite::Session> session;
};

Snapshot::Snapshot(const sqlite::FileFacts& facts, const sqlite::SessionOptions& options)
    : reading_(std::make_unique<Reading>(facts, options)) {}

Snapshot::~Snapshot() = default;

const SnapshotShape& Snapshot::shape() const noexcept {
  return reading_->shape;
}

sqlite::Session& Snapshot::session() noexcept {
  return *reading_->session;
}

void Snapshot::read_pages(const TakePage& take) {
  if (!reading_->session) {
    throw Error(ErrorKind::failure,
                fmt::format("the pages of {} were read already", reading_->path.string()));
  }
  struct LetGo {
    std::optional<sqlite::Session>& session;
    ~LetGo() { session.reset(); }
  };
  const LetGo let_go{reading_->session};
  reading_->read_pages(take);
}

}  // namespace nerve::backups
