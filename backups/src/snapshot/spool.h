// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "block_checksum.h"
#include "durable_file.h"
#include "snapshot/snapshot.h"

#include "nerve/backends/sqlite/session.h"

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace nerve::backups {

/// The bytes of a database, copied aside to a file without a name that is gone with the object.
///
/// The checksum of each block is kept while it is copied and compared when it is read again: what changed in
/// between would be stored as a right page with a right hash.
class Spool {
 public:
  /// Copies the database that `source` has locked in a read transaction, in rollback mode. Nothing where the
  /// database's folder takes no such file, or it would take more than half of the space that is free: the
  /// rest is for others. Throws what throw_sqlite_error() throws where the database cannot be read, and
  /// CancelledError.
  static std::optional<Spool> copy(sqlite::Session& source, const SnapshotShape& shape);

  /// Hands over all pages. Throws NotKeptError for a block that is not what was copied, Error where reading
  /// fails, what `take` throws, and CancelledError.
  void read_pages(const TakePage& take) const;

 private:
  Spool(Descriptor file, std::vector<BlockChecksum> checksums, const SnapshotShape& shape,
        std::filesystem::path database)
      : file_(std::move(file)),
        checksums_(std::move(checksums)),
        shape_(shape),
        database_(std::move(database)) {}

  Descriptor file_;
  std::vector<BlockChecksum> checksums_;
  SnapshotShape shape_;
  std::filesystem::path database_;
};

}  // namespace nerve::backups
