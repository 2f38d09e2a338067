// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nerve::cli {

/// Backups that a timer or cron is to make. All paths are absolute, and all of them valid UTF-8 without
/// control characters, which neither units nor crontabs can hold: require_writable_words() sees to that.
struct ScheduledBackup {
  std::filesystem::path program;
  std::filesystem::path database;
  std::filesystem::path repository;
  std::optional<std::filesystem::path> workspace;  ///< where the commands begin, so that its settings hold
  bool is_of_workspace = false;               ///< both of its stores, of which `database` is the core one
  std::vector<std::filesystem::path> stores;  ///< both of them then; else `database` alone
  std::optional<std::filesystem::path> also;  ///< the second folder, from whichever place
  bool is_also_named = false;                 ///< by an option, and not by the settings
  std::chrono::seconds interval{0};
  std::optional<std::chrono::seconds> full_interval;
  std::optional<std::chrono::seconds> drill_interval;
  std::optional<std::filesystem::path> drill_scratch;
  std::vector<std::string> keep;  ///< options of prune; nothing is removed where there are none
  std::optional<std::filesystem::path> passphrase_file;
  std::optional<std::filesystem::path> key_file;
  std::optional<std::filesystem::path> before;
  std::optional<std::filesystem::path> after;
  std::optional<std::filesystem::path> metrics;
  std::optional<std::filesystem::path> state_home;  ///< $XDG_STATE_HOME, which the commands are to see, too
  std::filesystem::path
      state_folder;  ///< what this machine has seen of repositories; empty where nothing is kept
  std::vector<std::filesystem::path> written_folders;  ///< besides the repository: what the commands write to
};

/// Throws ValidationError for a path that cannot be written into a unit or a crontab.
void require_writable_words(const ScheduledBackup& backup);

/// The words of the command that makes a backup. Without its key: a unit and a crontab hand that over in
/// different ways.
std::vector<std::string> backup_words(const ScheduledBackup& backup);

/// The words of the command that prunes after it; none where nothing is to be removed.
std::vector<std::string> prune_words(const ScheduledBackup& backup);

/// The same for the second folder; none where nothing is to be removed or there is no such folder. What is
/// wrong there, such as a disk that is away, is told by the backup, which copies to it.
std::vector<std::string> prune_second_words(const ScheduledBackup& backup);

/// The words of the command that tries a restore after it, where the last was long enough ago; none where no
/// drills are asked for.
std::vector<std::string> drill_words(const ScheduledBackup& backup);

}  // namespace nerve::cli
