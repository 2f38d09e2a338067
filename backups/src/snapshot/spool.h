// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"
#include "snapshot/snapshot.h"

#include "nerve/backends/sqlite/session.h"

#include <filesystem>
#include <optional>
#include <utility>

namespace nerve::backups {

/// The bytes of a database, copied aside to a file without a name that is gone with the object.
class Spool {
 public:
  /// Copies the database that `source` has locked in a read transaction, in rollback mode. Nothing where the
  /// database's folder takes no such file, or it would take more than half of the space that is free: the
  /// rest is for others. Throws what throw_sqlite_error() throws where the database cannot be read, and
  /// CancelledError.
  static std::optional<Spool> copy(sqlite::Session& source, const SnapshotShape& shape);

  /// Hands over all pages. Throws Error where reading fails, what `take` throws, and CancelledError.
  void read_pages(const TakePage& take) const;

 private:
  Spool(Descriptor file, const SnapshotShape& shape, std::filesystem::path database)
      : file_(std::move(file)), shape_(shape), database_(std::move(database)) {}

  Descriptor file_;
  SnapshotShape shape_;
  std::filesystem::path database_;
};

}  // namespace nerve::backups
