// SPDX-License-Identifier: Apache-2.0
#include "crontab_line.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace nerve::cli {

namespace {

/// Debian's cron takes no longer command.
constexpr std::size_t command_bytes_max = 998;

std::string fields_for(std::chrono::seconds interval) {
  constexpr std::int64_t minute_s = 60;
  constexpr std::int64_t hour_s = 60 * minute_s;
  constexpr std::int64_t day_s = 24 * hour_s;
  const std::int64_t seconds = interval.count();
  if (seconds == minute_s) return "* * * * *";
  if (seconds < hour_s && hour_s % seconds == 0 && seconds % minute_s == 0) {
    return fmt::format("*/{} * * * *", seconds / minute_s);
  }
  if (seconds == hour_s) return "0 * * * *";
  if (seconds < day_s && day_s % seconds == 0 && seconds % hour_s == 0) {
    return fmt::format("0 */{} * * *", seconds / hour_s);
  }
  if (seconds == day_s) return "0 0 * * *";
  if (seconds == 7 * day_s) return "0 0 * * 1";
  throw ValidationError(fmt::format("cron cannot start something every {}", duration_word(interval)),
                        "It can every 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 minutes, every 1, 2, 3, 4, 6, 8 "
                        "or 12 hours, daily and "
                        "weekly. Take one of these, or leave --cron out: a timer of systemd takes any.");
}

/// One word for the shell behind cron, which takes % for the end of the command unless a backslash stands
/// before it, and in some versions two backslashes for one. So none stands before another or before %: quotes
/// end and begin again between them.
std::string cron_word(std::string_view text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:,@=";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char character : text) {
    switch (character) {
      case '\'':
        word += "'\"'\"'";
        break;
      case '\\':
        word += "\\''";
        break;
      case '%':
        word += "\\%";
        break;
      default:
        word += character;
    }
  }
  return word + "'";
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += cron_word(word) + " ";
  return line + "--quiet >/dev/null";
}

}  // namespace

std::string crontab_line(const ScheduledBackup& backup) {
  const std::string fields = fields_for(backup.interval);
  std::string command;
  // Else the commands would know nothing of what this user has seen of the repository.
  if (backup.state_home) {
    command = fmt::format("export XDG_STATE_HOME={}", cron_word(backup.state_home->string()));
  }
  if (backup.workspace) {
    command += fmt::format("{}cd {}", command.empty() ? "" : " && ", cron_word(backup.workspace->string()));
  }
  // The second folder comes last, so that a disk that is away keeps nothing else from being done.
  for (std::vector<std::string> words :
       {backup_words(backup), prune_words(backup), drill_words(backup), prune_second_words(backup)}) {
    if (words.empty()) continue;
    for (const auto& [option, file] : {std::pair("--passphrase-file", &backup.passphrase_file),
                                       std::pair("--key-file", &backup.key_file)}) {
      if (*file) words.insert(words.end(), {option, (*file)->string()});
    }
    command += (command.empty() ? "" : " && ") + command_line(words);
  }
  if (command.size() > command_bytes_max) {
    throw ValidationError(fmt::format("the command is {} characters long, and cron takes {}", command.size(),
                                      command_bytes_max),
                          "Leave --cron out: a timer of systemd takes it.");
  }
  return fields + " " + command;
}

}  // namespace nerve::cli
