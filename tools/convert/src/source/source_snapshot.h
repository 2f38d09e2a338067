// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/backends/sqlite/stand_ins.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace nerve::convert {

/// Several readers of one state of a database, each for one thread.
///
/// Debian's SQLite has no snapshots that can be shared, so the readers begin their transactions while writers
/// are kept out: by a write lock where the file may be written, or else by beginning anew until the file was
/// not changed meanwhile. Writers then go on; in rollback mode they cannot commit until the readers are gone.
class SourceSnapshot {
 public:
  /// Throws what sqlite::Session throws, and ConflictError where the source is written all the time and may
  /// not be locked.
  SourceSnapshot(const std::filesystem::path& path, int readers);
  SourceSnapshot(const SourceSnapshot&) = delete;
  SourceSnapshot& operator=(const SourceSnapshot&) = delete;
  ~SourceSnapshot();

  sqlite::Session& reader(std::size_t index) { return *readers_.at(index); }
  std::size_t size() const noexcept { return readers_.size(); }

  /// Lets the readers read tables with collations that only the application has. What is read depends on none
  /// as long as nothing is looked up or ordered by one: a scan of the whole gives every row.
  void stand_in_for_collations();
  /// The name of such a collation by which a reader has compared since it was asked for last, so that what it
  /// read is not what the application would read; empty where there is none.
  std::string take_stand_in_used(std::size_t reader);

  /// Throws ConflictError where the file had to be read without locks and was written meanwhile.
  void require_unchanged() const;

 private:
  void open_readers(const std::filesystem::path& path, int count);

  /// Takes the write lock at first, and is the last to leave the file, so that its companions go with it.
  std::unique_ptr<sqlite::Session> keeper_;
  std::vector<std::unique_ptr<sqlite::Session>> readers_;
  std::vector<std::unique_ptr<sqlite::StandIns>> stand_ins_;  ///< of the readers
};

}  // namespace nerve::convert
