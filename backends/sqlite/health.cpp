// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/health.h"

#include "sqlite/health_checks.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nerve::sqlite {

using health::Check;
using health::Report;
using health::Status;

namespace {

constexpr std::string_view not_checked = "could not be checked: ";

Check unknown_check(std::string_view id, const std::string& reason, std::string fix = {}) {
  return {.id = std::string(id),
          .status = Status::unknown,
          .value = {},
          .threshold = {},
          .message = std::string(not_checked) + reason,
          .fix = std::move(fix)};
}

/// The checks of one run, made one after the other; none stops the next.
class HealthRun {
 public:
  HealthRun(const std::filesystem::path& path, const HealthOptions& options) : options_(options) {
    report_.target = path.string();
  }

  Report run(const std::filesystem::path& path) {
    std::optional<FileFacts> facts;
    attempt("sqlite.file", [&] {
      facts = read_file_facts(path);
      report_.target = facts->path.string();
      return check_file(*facts);
    });
    const bool is_database = report_.checks.back().status != Status::critical && facts;
    if (is_database) {
      check_place(*facts);
      check_content(*facts);
    } else {
      skip_all(last_message());
    }
    return std::move(report_);
  }

 private:
  static constexpr std::array<std::string_view, 4> place_checks = {"sqlite.permissions", "sqlite.free_disk",
                                                                   "sqlite.pages", "sqlite.open"};
  static constexpr std::array<std::string_view, 3> content_checks = {"sqlite.schema", "sqlite.integrity",
                                                                     "sqlite.free_list"};
  static constexpr std::array<std::string_view, 2> journal_checks = {"sqlite.wal", "sqlite.journal_mode"};

  /// Adds the result of `check`, or why there is none.
  void attempt(std::string_view id, const std::function<Check()>& check) {
    try {
      report_.checks.push_back(check());
    } catch (const CancelledError&) {
      throw;
    } catch (const Error& error) {
      report_.checks.push_back(unknown_check(id, error.what(), error.hint()));
    }
  }

  /// What the latest check says, as the reason for those that cannot be made after it. A copy, since the list
  /// grows.
  std::string last_message() const {
    std::string message = report_.checks.back().message;
    if (message.starts_with(not_checked)) message.erase(0, not_checked.size());
    return message;
  }

  void skip(std::span<const std::string_view> ids, const std::string& reason) {
    for (const std::string_view id : ids) report_.checks.push_back(unknown_check(id, reason));
  }

  void skip_content(const std::string& reason) {
    skip(content_checks, reason);
    if (options_.is_deep) report_.checks.push_back(unknown_check("sqlite.foreign_keys", reason));
  }

  void skip_all(const std::string& reason) {
    skip(place_checks, reason);
    attempt("sqlite.version", check_version);
    skip_content(reason);
    skip(journal_checks, reason);
  }

  void check_place(const FileFacts& facts) {
    attempt("sqlite.permissions", [&] { return check_permissions(facts); });
    attempt("sqlite.free_disk", [&] { return check_free_disk(facts, options_); });
    attempt("sqlite.version", check_version);
    attempt("sqlite.pages", [&] { return check_pages(facts); });
  }

  void check_content(const FileFacts& facts) {
    std::optional<Session> session;
    attempt("sqlite.open", [&] { return open(facts, session); });
    if (session) {
      attempt("sqlite.schema", [&] { return read_schema(*session); });
      attempt("sqlite.integrity", [&] { return check_structure(*session, options_); });
      attempt("sqlite.free_list", [&] { return check_free_list(*session, options_); });
      if (options_.is_deep) {
        attempt("sqlite.foreign_keys", [&] { return check_foreign_key_rows(*session, options_); });
      }
      retract_if_changed(*session);
    } else {
      skip_content(last_message());
    }
    attempt("sqlite.wal", [&] { return check_wal(facts, options_); });
    attempt("sqlite.journal_mode", [&] { return check_journal_mode(facts); });
  }

  /// Opens the database and reads from it once; `session` is set where that succeeds.
  Check open(const FileFacts& facts, std::optional<Session>& session) const {
    const auto start = std::chrono::steady_clock::now();
    Check check{.id = "sqlite.open",
                .status = Status::ok,
                .value = {},
                .threshold = fmt::format("at most {} ms", options_.open_ms_max),
                .message = "the database opens",
                .fix = {}};
    try {
      Session opened(facts.path, {.mode = OpenMode::read_only, .busy_timeout_ms = options_.busy_timeout_ms});
      // Read from the header, so that a damaged schema is left to its own check.
      opened.integer("PRAGMA schema_version");
      session.emplace(std::move(opened));
    } catch (const CancelledError&) {
      throw;
    } catch (const Error& error) {
      // A cut-off transaction, or another connection's lock, hides the database but does not make it a bad
      // one.
      if (facts.is_journal_live) return unknown_check(check.id, error.what(), optimize_command(facts.path));
      check.status = error.kind() == ErrorKind::unavailable ? Status::warning : Status::critical;
      check.value = "failed";
      check.message = error.what();
      check.fix = error.hint();
      return check;
    }
    const auto elapsed = std::chrono::steady_clock::now() - start;
    check.value = format_duration(elapsed);
    if (elapsed > std::chrono::milliseconds(options_.open_ms_max)) {
      check.status = Status::warning;
      check.message = "the database takes long to open";
      check.fix = "Look at the load of the device, and for a connection that holds a lock for long.";
    }
    return check;
  }

  static Check read_schema(Session& session) {
    try {
      return check_schema(session);
    } catch (const IntegrityError& error) {
      return {.id = "sqlite.schema",
              .status = Status::critical,
              .value = "unreadable",
              .threshold = "every table and view can be read",
              .message = error.what(),
              .fix = restore_command(session.path())};
    }
  }

  /// Takes back what was found in a file that somebody wrote while it was read without locks.
  void retract_if_changed(const Session& session) {
    try {
      session.require_unchanged();
    } catch (const ConflictError& error) {
      for (Check& check : report_.checks) {
        const bool is_content = std::ranges::find(content_checks, check.id) != content_checks.end();
        if (is_content && check.status == Status::critical)
          check = unknown_check(check.id, error.what(), error.hint());
      }
    }
  }

  HealthOptions options_;
  Report report_;
};

}  // namespace

Report check_health(const std::filesystem::path& path, const HealthOptions& options) {
  return HealthRun(path, options).run(path);
}

}  // namespace nerve::sqlite
