// SPDX-License-Identifier: Apache-2.0
#include "systemd_units.h"

#include "backup_key.h"

#include "nerve/backups/repository.h"
#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/crypto/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace nerve::cli {

namespace {

bool is_name_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') ||
         std::string_view("_.-:").find(character) != std::string_view::npos;
}

/// Text of which systemd makes no words: only specifiers mean something.
std::string unit_text(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '%') escaped += '%';
    escaped += character;
  }
  return escaped;
}

/// systemd takes such a path for no program, whatever the quotes.
void require_program(const std::filesystem::path& program) {
  if (program.native().find_first_of("\"'\\") == std::string::npos) return;
  throw ValidationError(
      fmt::format("systemd runs no program whose path holds quotes or a backslash: {}", program.string()),
      "Install nerve-db at another place, or use --cron.");
}

/// Whether the service goes on, and is well, where the command fails.
enum class Failure { ends_service, is_ignored };

/// The colon keeps systemd from replacing variables.
std::string exec_line(const std::vector<std::string>& words, Failure failure) {
  std::string line = failure == Failure::is_ignored ? "ExecStart=-:" : "ExecStart=:";
  for (const std::string& word : words) line += (&word == words.data() ? "" : " ") + unit_word(word);
  return line + "\n";
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

/// A service with a /tmp of its own does not see what lies in ours.
bool may_have_private_tmp(const ScheduledBackup& backup) {
  std::vector<std::filesystem::path> paths = backup.written_folders;
  for (const auto* path : {&backup.program, &backup.database, &backup.repository}) paths.push_back(*path);
  for (const auto* path : {&backup.workspace, &backup.also, &backup.passphrase_file, &backup.key_file,
                           &backup.before, &backup.after, &backup.drill_scratch, &backup.state_home}) {
    if (*path) paths.push_back(**path);
  }
  return std::ranges::none_of(paths, [](const std::filesystem::path& path) {
    return is_below(path, "/tmp") || is_below(path, "/var/tmp");
  });
}

/// A reader of a database in WAL mode writes to its -shm; in rollback mode the copy aside lies in that
/// folder.
std::string write_paths_line(const ScheduledBackup& backup) {
  std::set<std::filesystem::path> folders(backup.written_folders.begin(), backup.written_folders.end());
  folders.insert(backup.repository);
  folders.insert(backup.database.parent_path());
  // Where a drill restores to, unless the service has one of its own.
  const bool is_drill_in_tmp = backup.drill_interval && !backup.drill_scratch;
  if (is_drill_in_tmp && !may_have_private_tmp(backup)) folders.insert("/tmp");
  std::string line = "ReadWritePaths=";
  for (const std::filesystem::path& folder : folders) {
    line += (line.back() == '=' ? "" : " ") + unit_word(folder.string());
  }
  // A disk that is away, or a folder in memory that is gone after a boot, is no reason not to make the
  // backup.
  if (backup.drill_scratch) line += " " + unit_word("-" + backup.drill_scratch->string());
  if (backup.also) line += " " + unit_word("-" + backup.also->string());
  return line + "\n";
}

std::string credential_line(const ScheduledBackup& backup) {
  if (backup.passphrase_file) {
    return fmt::format("LoadCredential={}:{}\n", passphrase_credential,
                       unit_text(backup.passphrase_file->string()));
  }
  if (backup.key_file) {
    return fmt::format("LoadCredential={}:{}\n", key_credential, unit_text(backup.key_file->string()));
  }
  return {};
}

std::string service_text(const ScheduledBackup& backup) {
  std::string text = unit_marker(backup.database) + "\n";
  text += fmt::format("[Unit]\nDescription=Backup of {}\n\n[Service]\nType=oneshot\n",
                      unit_text(backup.database.string()));
  if (backup.workspace) text += fmt::format("WorkingDirectory={}\n", unit_text(backup.workspace->string()));
  // Else the commands would know nothing of what this user has seen of the repository.
  if (backup.state_home) {
    text += fmt::format("Environment={}\n", unit_word("XDG_STATE_HOME=" + backup.state_home->string()));
  }
  text += credential_line(backup);
  text += exec_line(backup_words(backup), Failure::ends_service);
  for (const auto& words : {prune_words(backup), drill_words(backup)}) {
    if (!words.empty()) text += exec_line(words, Failure::ends_service);
  }
  // Last, since its disk may be gone by now.
  if (const auto words = prune_second_words(backup); !words.empty()) {
    text += exec_line(words, Failure::is_ignored);
  }
  text += "Nice=10\nIOSchedulingClass=idle\nUMask=0077\nNoNewPrivileges=yes\nProtectSystem=strict\n";
  text += write_paths_line(backup);
  if (!backup.state_folder.empty()) {
    text += fmt::format("ReadWritePaths={}\n", unit_word("-" + backup.state_folder.string()));
  }
  if (may_have_private_tmp(backup)) text += "PrivateTmp=yes\n";
  return text;
}

std::string timer_text(const ScheduledBackup& backup) {
  std::string text = unit_marker(backup.database) + "\n";
  text += fmt::format("[Unit]\nDescription=Backup of {} every {}\n\n[Timer]\n",
                      unit_text(backup.database.string()), duration_word(backup.interval));
  if (const auto calendar = calendar_expression(backup.interval)) {
    // Persistent: what was missed while the machine was off is made up for.
    text += fmt::format("OnCalendar={}\nPersistent=true\n", *calendar);
  } else {
    text += fmt::format("OnBootSec=1min\nOnUnitActiveSec={}s\n", backup.interval.count());
  }
  return text + "AccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n";
}

}  // namespace

UnitTexts unit_texts(const ScheduledBackup& backup) {
  require_program(backup.program);
  return {service_text(backup), timer_text(backup)};
}

std::string unit_marker(const std::filesystem::path& database) {
  return fmt::format("{}{}; --off removes it.", unit_marker_begin, backups::source_name(database));
}

std::string unit_name(const std::filesystem::path& database, bool is_distinct) {
  constexpr std::size_t name_bytes_max = 120;
  constexpr std::size_t hash_digits = 8;
  std::string name = "nerve-backup-";
  bool is_whole = true;
  for (const char character : database.stem().string()) {
    const auto byte = static_cast<unsigned char>(character);
    const std::string escaped =
        is_name_character(character) ? std::string(1, character) : fmt::format("\\x{:02x}", byte);
    is_whole = is_whole && name.size() + escaped.size() <= name_bytes_max;
    if (is_whole) name += escaped;
  }
  if (is_whole && !is_distinct) return name;
  const std::string source = backups::source_name(database);
  return name + "-" + to_hex(crypto::sha256(as_bytes(source))).substr(0, hash_digits);
}

std::string unit_word(std::string_view text) {
  constexpr std::string_view plain_marks = "_-./+:,@=";
  const bool is_plain = !text.empty() && std::ranges::all_of(text, [&](char character) {
    return is_name_character(character) || plain_marks.find(character) != std::string_view::npos;
  });
  if (is_plain) return std::string(text);
  std::string word = "\"";
  for (const char character : text) {
    if (character == '%') word += '%';
    if (character == '"' || character == '\\') word += '\\';
    word += character;
  }
  return word + '"';
}

std::optional<std::string> calendar_expression(std::chrono::seconds interval) {
  constexpr std::int64_t minute_s = 60;
  constexpr std::int64_t hour_s = 60 * minute_s;
  constexpr std::int64_t day_s = 24 * hour_s;
  const std::int64_t seconds = interval.count();
  if (seconds % minute_s != 0) return std::nullopt;
  if (hour_s % seconds == 0 && seconds < hour_s) return fmt::format("*:0/{}", seconds / minute_s);
  if (day_s % seconds == 0 && seconds % hour_s == 0 && seconds < day_s) {
    return fmt::format("*-*-* 0/{}:00:00", seconds / hour_s);
  }
  if (seconds == day_s) return "*-*-* 00:00:00";
  if (seconds == 7 * day_s) return "Mon *-*-* 00:00:00";
  return std::nullopt;
}

}  // namespace nerve::cli
