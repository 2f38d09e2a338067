// SPDX-License-Identifier: Apache-2.0
#include "sqlite/free_space.h"
#include "sqlite/health_checks.h"
#include "sqlite/known_bugs.h"
#include "sqlite/write_lock.h"

#include "nerve/core/error.h"
#include "nerve/core/shell.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Checks of the file and the place it lies in, made without opening the database.
namespace nerve::sqlite {

using health::Check;
using health::Status;

namespace {

/// Of a folder, or of what may not be read, the error knows more than where the backups are.
std::string remedy_of_file(const FileFacts& facts, const Error& error, const HealthOptions& options) {
  const bool can_be_replaced = facts.kind == FileKind::missing || facts.kind == FileKind::not_sqlite ||
                               facts.kind == FileKind::maybe_encrypted;
  if (!can_be_replaced || !options.way_back) return error.hint();
  std::string remedy = options.way_back();
  return remedy.empty() ? error.hint() : remedy;
}

Check critical_file(const FileFacts& facts, const Error& error, const HealthOptions& options) {
  return {.id = "sqlite.file",
          .status = Status::critical,
          .value = std::string(to_string(facts.kind)),
          .threshold = "a readable SQLite database",
          .message = error.what(),
          .fix = remedy_of_file(facts, error, options)};
}

std::uint64_t expected_bytes(const FileFacts& facts) {
  return std::uint64_t{facts.header->page_count} * facts.header->page_size_bytes;
}

/// Whether pages that the header counts are missing. With a write-ahead log they may be there alone, and
/// during a transaction size and header do not belong together; as size and header are read one after the
/// other, a writer can come between, so one look is no proof.
bool is_cut_off(const FileFacts& facts) {
  return facts.header && facts.header->has_valid_page_count && facts.size_bytes < expected_bytes(facts) &&
         facts.wal_bytes.value_or(0) == 0 && !facts.is_journal_live;
}

std::string mode_text(::mode_t mode) {
  return fmt::format("{:04o}", mode);
}

}  // namespace

std::string optimize_command(const std::filesystem::path& path) {
  return "nerve-db optimize --apply --db " + shell_word(path.string());
}

std::string restore_command(const std::filesystem::path& path, const HealthOptions& options) {
  std::string command = options.way_back ? options.way_back() : std::string();
  return command.empty() ? "nerve-db restore latest --db " + shell_word(path.string()) : command;
}

std::string sqlite3_command(const std::filesystem::path& path, const std::string& script) {
  return "sqlite3 " + shell_word(path.string()) + " " + shell_word(script);
}

Check check_file(const FileFacts& facts, const HealthOptions& options) {
  try {
    require_database(facts);
  } catch (const Error& error) {
    return critical_file(facts, error, options);
  }
  Check check{.id = "sqlite.file",
              .status = Status::ok,
              .value = format_size(facts.size_bytes),
              .threshold = "a readable SQLite database",
              .message = facts.path.string() + " is an SQLite database",
              .fix = {},
              .number = static_cast<double>(facts.size_bytes),
              .unit = "bytes"};
  if (facts.kind == FileKind::empty) {
    check.status = Status::warning;
    check.message = facts.path.string() + " has zero bytes: an empty database";
    check.fix = "If it should hold data, bring it back: " + restore_command(facts.path, options);
  }
  return check;
}

Check check_permissions(const FileFacts& facts) {
  const auto folder = facts.path.parent_path();
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    throw Error(ErrorKind::failure, "cannot look at folder " + folder.string() + ": " + std::strerror(errno));
  }
  const ::mode_t folder_mode = status.st_mode & 07777;
  Check check{.id = "sqlite.permissions",
              .status = Status::ok,
              .value = mode_text(facts.mode) + " in folder " + mode_text(folder_mode),
              .threshold = "file 0600, folder written by its owner only",
              .message = "only the owner may read or write the file",
              .fix = {}};
  const auto report = [&](Status level, std::string message, std::string fix) {
    if (check.status >= level) return;
    check.status = level;
    check.message = std::move(message);
    check.fix = std::move(fix);
  };
  const std::string close_file = "chmod 600 " + shell_word(facts.path.string());
  if ((facts.mode & S_IWOTH) != 0)
    report(Status::critical, "every user may write " + facts.path.string(), close_file);
  if ((folder_mode & S_IWOTH) != 0 && (folder_mode & S_ISVTX) == 0) {
    report(Status::critical, "every user may replace files in " + folder.string(),
           "chmod o-w " + shell_word(folder.string()));
  }
  if ((facts.mode & S_IROTH) != 0)
    report(Status::warning, "every user may read " + facts.path.string(), close_file);
  if ((facts.mode & (S_IRGRP | S_IWGRP)) != 0) {
    report(Status::warning, "the group may read or write " + facts.path.string(), close_file);
  }
  return check;
}

Check check_file_system(const FileFacts& facts, const HealthOptions& options) {
  const FileSystem found = options.file_system(facts.path);
  Check check{.id = "sqlite.file_system",
              .status = Status::ok,
              .value = found.name,
              .threshold = "a local file system",
              .message = "the database lies on a local file system",
              .fix = {}};
  const bool is_wal = facts.header && facts.header->is_wal;
  if (found.kind == FileSystem::Kind::user_space) {
    check.status = Status::warning;
    check.message = found.name + " is a file system in user space that may not keep SQLite's locks";
  } else if (found.kind == FileSystem::Kind::network) {
    check.status = is_wal ? Status::critical : Status::warning;
    check.message = is_wal ? found.name +
                                 " is a network file system: WAL mode needs memory that all its users share, "
                                 "and damages the database where they are on several machines"
                           : found.name +
                                 " is a network file system: its locks may not keep two writers apart, which "
                                 "damages the database";
  }
  if (check.status != Status::ok) {
    check.fix = "Move the database to a disk of the machine that uses it.";
    if (is_wal) {
      check.fix += " Until then let one machine alone use it, after: " +
                   sqlite3_command(facts.path, "PRAGMA journal_mode=DELETE");
    }
  }
  return check;
}

Check check_growth(const FileFacts& facts, const HealthOptions& options) {
  Check check{.id = "sqlite.growth",
              .status = Status::ok,
              .value = "first run",
              .threshold = fmt::format("at most {:g} %, or {}", options.growth_max_percent,
                                       format_size(options.growth_ignored_bytes)),
              .message = "there is no earlier size to compare with",
              .fix = {}};
  const std::optional<EarlierSize> earlier =
      options.earlier_size ? options.earlier_size() : std::optional<EarlierSize>();
  if (!earlier) return check;
  const double grown_bytes = static_cast<double>(facts.size_bytes) - static_cast<double>(earlier->size_bytes);
  const double percent =
      100.0 * grown_bytes / static_cast<double>(std::max<std::uint64_t>(earlier->size_bytes, 1));
  const std::string sign = grown_bytes < 0 ? "-" : "+";
  const std::string size = format_size(static_cast<std::uint64_t>(std::abs(grown_bytes)));
  check.number = grown_bytes;
  check.unit = "bytes";
  check.value = fmt::format("{}{} ({:+.1f} %)", sign, size, percent);
  check.message = fmt::format("since {} ({})", earlier->source, earlier->at.to_local_text(true));
  const bool is_large = grown_bytes > static_cast<double>(options.growth_ignored_bytes);
  if (is_large && percent > options.growth_max_percent) {
    check.status = Status::warning;
    check.message = fmt::format("the database grew from {} to {} {}", format_size(earlier->size_bytes),
                                format_size(facts.size_bytes), check.message);
    check.fix =
        fmt::format("nerve-db stats --db {}  # shows where the bytes are", shell_word(facts.path.string()));
  }
  return check;
}

Check check_free_disk(const FileFacts& facts, const HealthOptions& options) {
  const auto [free_bytes, total_bytes] = measure_device(facts.path);
  const std::uint64_t used_bytes = facts.size_bytes + facts.wal_bytes.value_or(0);
  const double percent =
      total_bytes == 0 ? 0.0 : 100.0 * static_cast<double>(free_bytes) / static_cast<double>(total_bytes);
  Check check{.id = "sqlite.free_disk",
              .status = Status::ok,
              .value = fmt::format("{} ({:.1f} %)", format_size(free_bytes), percent),
              .threshold = fmt::format("at least {:g} % and {:g} times the database",
                                       options.free_disk_min_percent, options.free_disk_min_sizes),
              .message = "room for the database to grow and to be rebuilt",
              .fix = {},
              .number = percent,
              .unit = "percent"};
  if (free_bytes < used_bytes) {
    check.status = Status::critical;
    check.message = "less space is free than the database takes: a backup or VACUUM would fail";
  } else if (percent < options.free_disk_min_percent ||
             static_cast<double>(free_bytes) <
                 options.free_disk_min_sizes * static_cast<double>(used_bytes)) {
    check.status = Status::warning;
    check.message = "little space is left on the device of " + facts.path.string();
  }
  if (check.status != Status::ok)
    check.fix = "Free space on the device, or move the database to a larger one.";
  return check;
}

Check check_version() {
  return check_version(::sqlite3_libversion_number(), ::sqlite3_libversion());
}

Check check_version(int version_number, std::string_view version) {
  Check check{.id = "sqlite.version",
              .status = Status::ok,
              .value = std::string(version),
              .threshold = "no known fault that ordinary use can meet",
              .message = "no known fault of this version can damage a database",
              .fix = {}};
  const std::vector<KnownBug> bugs = find_known_bugs(version_number);
  if (bugs.empty()) return check;
  check.message.clear();
  for (const KnownBug& bug : bugs) {
    const std::string_view severity = bug.severity == Severity::high ? "high" : "low";
    check.message += fmt::format("{}{} ({} severity): {}; {}", check.message.empty() ? "" : "; ", bug.name,
                                 severity, bug.effect, bug.remedy);
  }
  if (bugs.front().severity == Severity::high) {
    check.status = Status::warning;
    check.fix = fmt::format("Install a newer SQLite; until then {}.", bugs.front().remedy);
  }
  return check;
}

Check check_pages(const FileFacts& facts, const HealthOptions& options) {
  Check check{.id = "sqlite.pages",
              .status = Status::ok,
              .value = format_size(facts.size_bytes),
              .threshold = {},
              .message = "the header does not count its pages",
              .fix = {}};
  if (!facts.header || !facts.header->has_valid_page_count) return check;
  const std::uint64_t expected = expected_bytes(facts);
  check.value =
      fmt::format("{} pages of {}", facts.header->page_count, format_size(facts.header->page_size_bytes));
  check.number = facts.header->page_count;
  check.unit = "count";
  check.threshold = fmt::format("{} bytes", expected);
  check.message = "the file has the size that its header says";
  if (is_cut_off(facts) && is_cut_off(read_file_facts(facts.path))) {
    check.status = Status::critical;
    check.message = fmt::format("the file is cut off: {} bytes are missing", expected - facts.size_bytes);
    check.fix = restore_command(facts.path, options);
  } else if (facts.size_bytes > expected && !facts.is_journal_live) {
    check.message =
        fmt::format("{} bytes lie behind the last page, which is harmless", facts.size_bytes - expected);
  }
  return check;
}

Check check_wal(const FileFacts& facts, const HealthOptions& options) {
  Check check{.id = "sqlite.wal",
              .status = Status::ok,
              .value = facts.wal_bytes ? format_size(*facts.wal_bytes) : "none",
              .threshold = "at most " + format_size(options.wal_bytes_max),
              .message = "the write-ahead log is small",
              .fix = {},
              .number = static_cast<double>(facts.wal_bytes.value_or(0)),
              .unit = "bytes"};
  if (facts.wal_bytes.value_or(0) > options.wal_bytes_max) {
    check.status = Status::warning;
    check.message =
        "the write-ahead log has grown: a reader that stays open, or many writes, kept it from being cut";
    check.fix = optimize_command(facts.path);
  }
  return check;
}

Check check_journal_mode(const FileFacts& facts) {
  const bool is_wal = facts.header && facts.header->is_wal;
  Check check{.id = "sqlite.journal_mode",
              .status = Status::ok,
              .value = is_wal ? "wal" : "rollback",
              .threshold = {},
              .message = is_wal ? "readers and a writer work side by side"
                                : "a writer keeps readers waiting; in WAL mode they would work side by side",
              .fix = {}};
  if (!facts.is_journal_live) return check;
  switch (find_write_lock(facts)) {
    case WriteLock::held:
      check.message = "a transaction is under way";
      break;
    case WriteLock::free:
      check.status = Status::warning;
      check.message = "a transaction was cut off: its journal waits to be rolled back";
      check.fix = optimize_command(facts.path);
      break;
    case WriteLock::unknown:
      check.status = Status::unknown;
      check.message = "there is a journal: a transaction is under way or was cut off";
      break;
  }
  return check;
}

}  // namespace nerve::sqlite
