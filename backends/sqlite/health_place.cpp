// SPDX-License-Identifier: Apache-2.0
#include "sqlite/free_space.h"
#include "sqlite/health_checks.h"
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
#include <cstring>

/// Checks of the file and the place it lies in, made without opening the database.
namespace nerve::sqlite {

using health::Check;
using health::Status;

namespace {

/// The first release whose checkpoints cannot meet a writer while they reset the write-ahead log.
constexpr int version_with_wal_reset_fixed = 3'051'003;

Check critical_file(const FileFacts& facts, const Error& error) {
  return {.id = "sqlite.file",
          .status = Status::critical,
          .value = std::string(to_string(facts.kind)),
          .threshold = "a readable SQLite database",
          .message = error.what(),
          .fix = error.hint()};
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

std::string restore_command(const std::filesystem::path& path) {
  return "nerve-db restore latest --db " + shell_word(path.string());
}

Check check_file(const FileFacts& facts) {
  try {
    require_database(facts);
  } catch (const Error& error) {
    return critical_file(facts, error);
  }
  Check check{.id = "sqlite.file",
              .status = Status::ok,
              .value = format_size(facts.size_bytes),
              .threshold = "a readable SQLite database",
              .message = facts.path.string() + " is an SQLite database",
              .fix = {}};
  if (facts.kind == FileKind::empty) {
    check.status = Status::warning;
    check.message = facts.path.string() + " has zero bytes: an empty database";
    check.fix = "If it should hold data, bring it back: " + restore_command(facts.path);
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
              .fix = {}};
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
  Check check{.id = "sqlite.version",
              .status = Status::ok,
              .value = ::sqlite3_libversion(),
              .threshold = {},
              .message = "no known fault of this version can damage a database",
              .fix = {}};
  if (::sqlite3_libversion_number() < version_with_wal_reset_fixed) {
    check.message =
        "before 3.51.3 a reset of the WAL can, rarely, damage the file: let one process checkpoint, with "
        "synchronous=FULL";
  }
  return check;
}

Check check_pages(const FileFacts& facts) {
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
  check.threshold = fmt::format("{} bytes", expected);
  check.message = "the file has the size that its header says";
  if (is_cut_off(facts) && is_cut_off(read_file_facts(facts.path))) {
    check.status = Status::critical;
    check.message = fmt::format("the file is cut off: {} bytes are missing", expected - facts.size_bytes);
    check.fix = restore_command(facts.path);
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
              .fix = {}};
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
