// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/core/bytes.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace nerve::backups {

/// A database as one transaction sees it.
struct SnapshotShape {
  std::uint32_t page_size_bytes = 0;
  std::uint32_t page_count = 0;  ///< 0 for a file of no bytes
  bool is_wal = false;           ///< whether its journal mode is WAL

  /// The page that SQLite locks and never reads; beyond `page_count` in a database of less than 1 GiB.
  std::uint32_t lock_page() const noexcept { return (std::uint32_t{1} << 30U) / page_size_bytes + 1; }
};

/// Is handed each page once, in ascending order from 1, with its bytes as they lie in the database (the lock
/// page as zeros). The bytes are valid inside the call. What it throws ends the reading and is passed on.
using TakePage = std::function<void(std::uint32_t number, ByteView page)>;

/// Reads all pages of a database in one consistent state while others go on writing.
///
/// In WAL mode nobody waits for it. In rollback mode writers wait while the file is copied aside, to an
/// unnamed file in the database's folder, which takes less time than working on it does; where
/// that folder takes no file, they wait for all of it. Memory does not grow with the database.
///
/// Nothing is checkpointed. The calling process must not have the database open by other means, and one
/// thread uses the object.
class Snapshot {
 public:
  /// Opens the database and pins the state to read. Throws what sqlite::Session throws. Of the facts the path
  /// is used; `options.vfs` is set here.
  Snapshot(const sqlite::FileFacts& facts, const sqlite::SessionOptions& options);
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot();

  const SnapshotShape& shape() const noexcept;

  /// The connection, in its read transaction, for checks of the state that is about to be read. Not after
  /// read_pages().
  sqlite::Session& session() noexcept;

  /// Hands over all pages, and lets the database go, also when it throws: what `take` throws, CancelledError,
  /// what Session throws and its require_unchanged(), and Error where SQLite hands over other pages than it
  /// should. Once.
  void read_pages(const TakePage& take);

 private:
  struct Reading;
  std::unique_ptr<Reading> reading_;
};

}  // namespace nerve::backups
