// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"
#include "nerve/convert/plan.h"
#include "nerve/convert/report.h"
#include "nerve/core/json.h"
#include "nerve/core/progress.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace nerve::convert {

struct ConvertOptions {
  std::string schema = "public";  ///< of the target; it is made where it is missing
  bool may_replace = false;       ///< drop what stands in it
  bool may_append = false;        ///< to the tables that stand in it, and nothing but rows
  bool is_atomic = false;         ///< all in one transaction on one connection; nothing is resumed
  bool folds_case = true;         ///< letters A to Z of names become lower case
  bool checks_source = true;      ///< look for damage before anything is converted
  int workers = 2;                ///< readers of the source, each with a connection to the target
  OpenOptions target = {};
  std::filesystem::path rules = {};    ///< a file of rules (docs/converting.md); empty: none
  std::filesystem::path rejects = {};  ///< the file for rows that cannot be stored; empty: there must be none
  /// Of a part of a table that is loaded in one transaction, about. Large enough for COPY to run at its full
  /// speed, small enough for two workers to end together.
  std::int64_t range_bytes = std::int64_t{64} * 1024 * 1024;
};

/// How far the source was looked at for damage.
struct SourceCheck {
  bool is_done = false;
  std::vector<std::string> unchecked;  ///< "TABLE: why", of tables that SQLite cannot check here
};

/// What a conversion came to.
struct ConvertReport {
  Plan plan;
  SourceCheck check;
  std::vector<TableReport> tables;    ///< in the order of the plan
  std::vector<Untranslated> refused;  ///< what the server did not make, for what the rows are
  bool is_resumed = false;            ///< an earlier run had begun it
  bool is_rolled_back = false;        ///< an atomic one whose rows differ: the target is as it was
  /// What each part took, by its name, in the order of the work: "check" unless it is left out, "scan",
  /// "load", "constraints", "comparison".
  std::vector<std::pair<std::string, std::chrono::milliseconds>> durations;
  std::int64_t rejects = 0;  ///< lines of the rejects file

  /// Whether the target has all that the source has: nothing rejected, changed, or without an equal.
  bool is_complete() const noexcept;
};

/// docs/converting.md names the fields.
Json to_json(const SourceCheck& check);
Json to_json(const ConvertReport& report);

struct PlannedConversion {
  Plan plan;
  SourceCheck check;
  Forecast forecast;
};

/// Reads the source and says what a conversion would do. Nothing is written anywhere.
///
/// Throws what sqlite::Session throws for a source that is missing, damaged, encrypted or no database,
/// IntegrityError for one in which the check finds damage, and ValidationError with a violation for each of
/// the first errors in the rules file.
PlannedConversion plan_conversion(const std::filesystem::path& source, const ConvertOptions& options,
                                  ProgressSink* progress = nullptr);

/// A plan as a rules file: with it the same source is planned in the same way, and whoever edits it says what
/// is to be otherwise.
std::string rules_text(const Plan& plan);

/// Converts a whole database, and compares every row afterwards.
///
/// The schema of the target must be empty, unless a conversion of the same source in the same state was begun
/// there: then it is gone on with. After an abort at any moment the next call goes on with what is there.
///
/// With `may_append` the tables must be there, with columns that take the values; the rows that they have
/// stay, and what the comparison expects is these and what was sent. Nothing is appended where a table of the
/// target has the rows of the same state of a table already, by a conversion or an append that has ended.
///
/// Throws IntegrityError where the source is damaged, before anything is written; ValidationError where the
/// rules file has errors, where rows would be rejected and no file for them is named, where a rule says to
/// fail, and where tables do not take what would be appended; ConflictError where the schema is not empty,
/// where rows would be appended twice, or the source changes and cannot be locked, UnsupportedError for a
/// server before version 14, and what the two databases throw.
ConvertReport convert(const std::filesystem::path& source, const std::string& target_url,
                      const ConvertOptions& options, ProgressSink* progress = nullptr);

/// Compares a conversion with its source as it is now, row by row; nothing is written. The source is not
/// checked for damage.
std::vector<TableReport> verify_conversion(const std::filesystem::path& source, const std::string& target_url,
                                           const ConvertOptions& options, ProgressSink* progress = nullptr);

}  // namespace nerve::convert
