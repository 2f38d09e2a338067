// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/time.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// The promise that a database is backed up from time to time: schedule.json of a repository
// (docs/backup_repository.md). It makes no backup; it is what health measures them by.
namespace nerve::backups {

/// Who starts the backups.
enum class Starter : std::uint8_t {
  user_timer,    ///< a timer of the user's systemd
  system_timer,  ///< a timer of the machine's systemd
  cron,
};

/// "user_timer", "system_timer" or "cron".
std::string_view to_string(Starter starter) noexcept;

struct Promise {
  std::string database;              ///< as source_name() has it
  std::chrono::seconds interval{0};  ///< a backup at least so often
  std::optional<std::chrono::seconds>
      full_interval;  ///< a full at least so often; absent where none is promised
  Timestamp since;    ///< when it was given
  Starter starter = Starter::user_timer;
  std::string unit;  ///< name of the timer, such as "nerve-backup-shop.timer"; empty for cron
};

/// The promise for a database; absent where there is none. Throws IntegrityError where schedule.json is no
/// such file.
std::optional<Promise> promise_of(const Repository& repository, const std::filesystem::path& database);

/// Writes a promise down, in the place of an earlier one for the database; the repository is made where it is
/// not there. One that says the same but for its time is left as it is, so that its time stays.
void record_promise(const Repository& repository, const Promise& promise);

/// False when there was none.
bool withdraw_promise(const Repository& repository, const std::filesystem::path& database);

enum class Keeping : std::uint8_t {
  kept,
  late,    ///< more than late_after intervals have passed
  broken,  ///< more than broken_after intervals have passed
};

inline constexpr std::int64_t late_after = 2;
inline constexpr std::int64_t broken_after = 10;

/// What became of a promise.
struct PromiseState {
  Keeping keeping = Keeping::kept;
  std::optional<Manifest> newest;     ///< the newest backup that was asked for, also of an emptied database
  std::chrono::microseconds age{0};   ///< since then, or since the promise where it is younger
  Timestamp next_due;                 ///< when the next backup is promised
  std::optional<Timestamp> full_due;  ///< when the next full is promised, where any is
};

/// Compares a promise with the backups of its database among `entries`, as Repository::list() has them. A
/// backup from the future says that the clock was set back, and counts as old as it is far: otherwise nothing
/// would be missed until then.
PromiseState state_of(const Promise& promise, std::span<const Entry> entries, const Clock& clock);

}  // namespace nerve::backups
