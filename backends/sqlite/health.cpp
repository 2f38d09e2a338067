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
#include <vector>

namespace nerve::sqlite {

using health::Check;
using health::Checklist;
using health::reason_of;
using health::Report;
using health::Status;
using health::unknown_check;

namespace {

constexpr std::array<std::string_view, 17> all_checks = {"sqlite.file",         "sqlite.permissions",
                                                         "sqlite.file_system",  "sqlite.free_disk",
                                                         "sqlite.growth",       "sqlite.version",
                                                         "sqlite.pages",        "sqlite.open",
                                                         "sqlite.schema",       "sqlite.integrity",
                                                         "sqlite.free_list",    "sqlite.statistics",
                                                         "sqlite.indexes",      "sqlite.foreign_key_indexes",
                                                         "sqlite.foreign_keys", "sqlite.wal",
                                                         "sqlite.journal_mode"};

constexpr std::array<std::string_view, 5> place_checks = {
    "sqlite.permissions", "sqlite.file_system", "sqlite.free_disk", "sqlite.growth", "sqlite.version"};
/// Those that cannot be made where the file cannot be looked at.
constexpr std::array<std::string_view, 6> file_checks = {"sqlite.permissions", "sqlite.file_system",
                                                         "sqlite.free_disk",   "sqlite.growth",
                                                         "sqlite.pages",       "sqlite.open"};
/// Those that cannot be made where the database does not open.
constexpr std::array<std::string_view, 6> content_checks = {"sqlite.schema",    "sqlite.integrity",
                                                            "sqlite.free_list", "sqlite.statistics",
                                                            "sqlite.indexes",   "sqlite.foreign_key_indexes"};
constexpr std::array<std::string_view, 2> journal_checks = {"sqlite.wal", "sqlite.journal_mode"};

/// The checks of one run.
class HealthRun {
 public:
  explicit HealthRun(const HealthOptions& options) : options_(options) {}
  HealthRun(const HealthRun&) = delete;
  HealthRun& operator=(const HealthRun&) = delete;

  Report run(const std::filesystem::path& path) {
    report_.target = path.string();
    std::optional<FileFacts> facts;
    const Check file = Checklist::evaluate("sqlite.file", [&] {
      facts = read_file_facts(path);
      report_.target = facts->path.string();
      return check_file(*facts, options_);
    });
    list_.add(file);
    if (file.status != Status::critical && facts) {
      check_place(*facts);
      check_content(*facts);
    } else {
      skip_all(reason_of(file));
    }
    return std::move(report_);
  }

 private:
  void attempt(std::string_view id, const std::function<Check()>& check) { list_.attempt(id, check); }

  void skip_content(const std::string& reason) {
    list_.add_unknown(content_checks, reason);
    if (options_.is_deep) list_.add(unknown_check("sqlite.foreign_keys", reason));
  }

  void skip_all(const std::string& reason) {
    list_.add_unknown(file_checks, reason);
    attempt("sqlite.version", [] { return check_version(); });
    skip_content(reason);
    list_.add_unknown(journal_checks, reason);
  }

  void check_place(const FileFacts& facts) {
    attempt("sqlite.permissions", [&] { return check_permissions(facts); });
    attempt("sqlite.file_system", [&] { return check_file_system(facts, options_); });
    attempt("sqlite.free_disk", [&] { return check_free_disk(facts, options_); });
    attempt("sqlite.growth", [&] { return check_growth(facts, options_); });
    attempt("sqlite.version", [] { return check_version(); });
    attempt("sqlite.pages", [&] { return check_pages(facts, options_); });
  }

  void check_content(const FileFacts& facts) {
    std::optional<Session> session;
    const Check opened = Checklist::evaluate("sqlite.open", [&] { return open(facts, session); });
    list_.add(opened);
    if (session) {
      check_opened(*session);
    } else {
      skip_content(reason_of(opened));
    }
    attempt("sqlite.wal", [&] { return check_wal(facts, options_); });
    attempt("sqlite.journal_mode", [&] { return check_journal_mode(facts); });
  }

  void check_opened(Session& session) {
    attempt("sqlite.schema", [&] { return read_schema(session); });
    attempt("sqlite.integrity", [&] { return check_structure(session, options_); });
    attempt("sqlite.free_list", [&] { return check_free_list(session, options_); });
    std::optional<std::vector<Proposal>> proposals;
    const auto proposed = [&]() -> const std::vector<Proposal>& {
      if (!proposals) proposals = propose(session, {}, options_.progress);
      return *proposals;
    };
    attempt("sqlite.statistics", [&] { return check_statistics(session, proposed()); });
    attempt("sqlite.indexes", [&] { return check_indexes(session, proposed()); });
    attempt("sqlite.foreign_key_indexes", [&] { return check_foreign_key_indexes(session); });
    if (options_.is_deep) {
      attempt("sqlite.foreign_keys", [&] { return check_foreign_key_rows(session, options_); });
    }
    retract_if_changed(session);
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
      check.fix = error.kind() == ErrorKind::integrity ? restore_command(facts.path, options_) : error.hint();
      return check;
    }
    const auto elapsed = std::chrono::steady_clock::now() - start;
    check.value = format_duration(elapsed);
    check.number = std::chrono::duration<double>(elapsed).count();
    check.unit = "seconds";
    if (elapsed > std::chrono::milliseconds(options_.open_ms_max)) {
      check.status = Status::warning;
      check.message = "the database takes long to open";
      check.fix = "Look at the load of the device, and for a connection that holds a lock for long.";
    }
    return check;
  }

  Check read_schema(Session& session) const {
    try {
      return check_schema(session, options_);
    } catch (const IntegrityError& error) {
      return {.id = "sqlite.schema",
              .status = Status::critical,
              .value = "unreadable",
              .threshold = "every table and view can be read",
              .message = error.what(),
              .fix = restore_command(session.path(), options_)};
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

  const HealthOptions& options_;
  Report report_;
  Checklist list_{report_, options_.skip};
};

}  // namespace

std::span<const std::string_view> health_check_ids() noexcept {
  return all_checks;
}

std::span<const std::string_view> place_check_ids() noexcept {
  return place_checks;
}

Report check_health(const std::filesystem::path& path, const HealthOptions& options) {
  return HealthRun(options).run(path);
}

}  // namespace nerve::sqlite
