// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/json.h"
#include "nerve/core/progress.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups {

/// How many backups of a database are kept: the newest ones, and the newest of each of so many hours, days,
/// weeks (Monday to Sunday), months and years that have one, all in UTC. A backup that any rule takes is
/// kept.
struct RetentionPolicy {
  std::int64_t last = 0;
  std::int64_t hourly = 0;
  std::int64_t daily = 0;
  std::int64_t weekly = 0;
  std::int64_t monthly = 0;
  std::int64_t yearly = 0;
  std::chrono::days safety = std::chrono::days(7);  ///< what restores and migrations kept is kept this long

  /// Whether it says nothing of what to keep.
  bool is_empty() const noexcept { return last + hourly + daily + weekly + monthly + yearly == 0; }
};

/// What prune does with a backup.
enum class Fate : std::uint8_t {
  keep,
  merge,  ///< it stays, as a delta to an earlier backup than now, because those in between go
  remove,
};

std::string_view to_string(Fate fate) noexcept;

struct PruneDecision {
  Manifest backup;
  Fate fate = Fate::keep;
  std::vector<std::string>
      reasons;  ///< why it is kept: "last", "daily 2026-05-01", "held", "a delta needs it" …
};

struct PruneReport {
  std::vector<PruneDecision> decisions;  ///< oldest first
  std::vector<std::string> unreadable;   ///< entries that nothing is known of; they are never removed
  /// Those that somebody without the key has put there; nothing needs them, and they are not removed either.
  std::vector<std::string> unauthenticated;
  /// Those in which damage was found, and what leads back to them; they stay, with the rest of their
  /// generation where they have one.
  std::vector<std::string> damaged;
  bool done = false;  ///< false after a dry run
  std::int64_t freed_bytes =
      0;  ///< files that went, less what merging wrote; after a dry run without the latter

  std::int64_t count(Fate fate) const noexcept;
  Json to_json() const;
};

struct PruneOptions {
  RetentionPolicy policy;
  std::optional<std::filesystem::path> source = std::nullopt;  ///< only of this database
  const BackupKey* key = nullptr;                              ///< to merge encrypted deltas; borrowed
  bool dry_run = false;
};

/// Removes backups that the policy does not keep, of each database apart.
///
/// Always kept: what is held; the newest good backup, the newest that was verified, and the newest that holds
/// rows; the full of every delta that is kept; what is of state damaged. A kept delta whose parent goes is
/// merged with those that go. Order counts by sequence. Each step leaves every backup that is to be kept
/// restorable, so an abort at any point loses none, and the next run goes on. Before something of a history
/// is removed, its newest backup that is kept is proved, unless that was done within seven days.
///
/// Throws ValidationError for an empty policy, ConflictError while another process works in the repository,
/// DeniedError where encrypted deltas are to be merged without their key, IntegrityError where a delta to be
/// merged is damaged, or the newest that is kept of a history, of which nothing is then removed, and
/// CancelledError.
PruneReport prune(const Repository& repository, const PruneOptions& options, const Clock& clock,
                  ProgressSink* progress = nullptr);

/// Keeps a backup from being pruned until it is released; `reason` is for people.
void hold_backup(const Repository& repository, const BackupId& id, std::string_view reason,
                 const Clock& clock);

/// False when it was not held.
bool release_backup(const Repository& repository, const BackupId& id);

struct Hold {
  Timestamp held_at;
  std::string reason;
};

/// Absent when it is not held. What cannot be read holds with the reason "unreadable".
std::optional<Hold> hold_of(const Repository& repository, const BackupId& id);

}  // namespace nerve::backups
