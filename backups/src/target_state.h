// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace nerve::backups {

/// Size and time of last change of a file; all zero when it is missing or empty.
struct FileTrace {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;

  friend bool operator==(const FileTrace&, const FileTrace&) = default;
};

/// What can be seen of a database without opening it. Two equal states mean that nobody wrote to it in
/// between, provided that the clock of the file system ticked after the last write before the first.
struct TargetState {
  bool exists = false;
  ::dev_t device = 0;
  ::ino_t inode = 0;
  ::mode_t mode = 0;
  ::uid_t owner = 0;
  ::gid_t group = 0;
  FileTrace database;
  FileTrace wal;
  FileTrace journal;

  /// Whether something stands there that a restore must keep: a -wal or -journal counts even if its database
  /// is gone.
  bool has_content() const noexcept {
    return database.size_bytes > 0 || wal.size_bytes > 0 || journal.size_bytes > 0;
  }

  friend bool operator==(const TargetState&, const TargetState&) = default;
};

TargetState look_at(const std::filesystem::path& database);

/// Lets SQLite undo what a writer that died left half done; without such a journal does nothing.
void roll_back_journal(const std::filesystem::path& database);

/// Moves what other parts of SQLite's transactions the database has into the main file, by SQLite itself: a
/// journal is rolled back, a -wal is checkpointed, and both are gone when this returns. The state afterwards;
/// absent when the database was no longer in the state `before`.
///
/// Throws ConflictError when another connection has it open beyond `busy_timeout_ms`, and what
/// sqlite::Session throws.
std::optional<TargetState> bring_to_rest(const std::filesystem::path& database, const TargetState& before,
                                         int busy_timeout_ms);

}  // namespace nerve::backups
