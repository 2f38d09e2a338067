// SPDX-License-Identifier: Apache-2.0
#include "scheduled_backup.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::cli {

namespace {

void require_writable_word(const std::filesystem::path& path) {
  const std::string& text = path.native();
  const bool has_control = std::ranges::any_of(
      text, [](char character) { return static_cast<unsigned char>(character) < ' ' || character == 127; });
  if (is_valid_utf8(text) && !has_control) return;
  throw ValidationError(fmt::format("the path {} holds characters that a unit or a crontab cannot",
                                    sanitize_for_terminal(text)),
                        "Give file and folders names in UTF-8 without control characters.");
}

void add_places(std::vector<std::string>& words, const ScheduledBackup& backup,
                const std::filesystem::path& repository) {
  if (backup.is_of_workspace) {
    words.insert(words.end(), {"--workspace", backup.workspace->string()});
  } else {
    words.insert(words.end(), {"--db", backup.database.string()});
  }
  words.insert(words.end(), {"--repo", repository.string()});
}

std::vector<std::string> prune_words_in(const std::filesystem::path& repository,
                                        const ScheduledBackup& backup) {
  std::vector<std::string> words{backup.program.string(), "backup", "prune"};
  add_places(words, backup, repository);
  words.insert(words.end(), backup.keep.begin(), backup.keep.end());
  // Another database of the repository may just be backed up.
  words.insert(words.end(), {"--wait", "10m", "--yes"});
  return words;
}

}  // namespace

void require_writable_words(const ScheduledBackup& backup) {
  for (const auto* path : {&backup.program, &backup.database, &backup.repository})
    require_writable_word(*path);
  for (const auto* path :
       {&backup.workspace, &backup.also, &backup.passphrase_file, &backup.key_file, &backup.before,
        &backup.after, &backup.metrics, &backup.drill_scratch, &backup.state_home}) {
    if (*path) require_writable_word(**path);
  }
  for (const std::filesystem::path& folder : backup.written_folders) require_writable_word(folder);
}

std::vector<std::string> backup_words(const ScheduledBackup& backup) {
  std::vector<std::string> words{backup.program.string(), "backup"};
  add_places(words, backup, backup.repository);
  const auto add = [&words](const char* option, const std::optional<std::filesystem::path>& value) {
    if (value) words.insert(words.end(), {option, value->string()});
  };
  if (backup.full_interval) words.insert(words.end(), {"--full-every", duration_word(*backup.full_interval)});
  if (backup.is_also_named) add("--also", backup.also);
  add("--before", backup.before);
  add("--after", backup.after);
  add("--metrics", backup.metrics);
  return words;
}

std::vector<std::string> prune_words(const ScheduledBackup& backup) {
  if (backup.keep.empty()) return {};
  return prune_words_in(backup.repository, backup);
}

std::vector<std::string> prune_second_words(const ScheduledBackup& backup) {
  if (backup.keep.empty() || !backup.also) return {};
  return prune_words_in(*backup.also, backup);
}

std::vector<std::string> drill_words(const ScheduledBackup& backup) {
  if (!backup.drill_interval) return {};
  std::vector<std::string> words{backup.program.string(), "backup", "drill"};
  add_places(words, backup, backup.repository);
  words.insert(words.end(), {"--older-than", duration_word(*backup.drill_interval)});
  if (backup.drill_scratch) words.insert(words.end(), {"--scratch", backup.drill_scratch->string()});
  return words;
}

}  // namespace nerve::cli
