// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/names.h"
#include "plan/source_schema.h"
#include "source/source_snapshot.h"

#include "nerve/convert/convert.h"
#include "nerve/convert/plan.h"
#include "nerve/convert/profile.h"
#include "nerve/core/progress.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nerve::convert {

/// The source, held still, and what is to become of it.
class PlannedSource {
 public:
  /// Opens the source, reads its schema and applies the rules; throws what these throw.
  PlannedSource(const std::filesystem::path& path, const ConvertOptions& options);

  /// Looks for damage, and throws IntegrityError where there is some.
  void check(ProgressSink* progress);
  /// Reads every row, and plans.
  void make_plan(ProgressSink* progress);

  SourceSnapshot& snapshot() noexcept { return snapshot_; }
  const SourceSchema& schema() const noexcept { return schema_; }
  const SourceCheck& checked() const noexcept { return check_; }
  Plan& plan() noexcept { return plan_; }
  std::chrono::milliseconds check_duration() const noexcept { return check_duration_; }
  std::chrono::milliseconds scan_duration() const noexcept { return scan_duration_; }

  /// Reads tables of which a rule skips columns once more, with these: rows are the same ones whichever of
  /// their columns are converted.
  void digest_whole_tables();

  /// Of all tables' content.
  std::string digest() const;
  /// Of the content of one table: of the columns that are converted, and, where a rule skips others, of all.
  std::vector<std::string> table_digests(const std::string& table) const;
  /// Of what is to be made, and in which parts.
  std::string plan_digest() const;

 private:
  /// No rule leaves out what cannot be read, and so it is no part of a whole table.
  void forget_unreadable();

  const ConvertOptions& options_;
  SourceSnapshot snapshot_;
  SourceSchema schema_;
  CasePolicy case_policy_ = CasePolicy::lower;
  std::vector<TableProfile> profiles_;
  std::vector<TableQuery> whole_tables_;              ///< as they are without rules
  std::map<std::string, std::string> whole_digests_;  ///< of tables of which a rule skips columns, by name
  SourceCheck check_;
  std::chrono::milliseconds check_duration_{0};
  std::chrono::milliseconds scan_duration_{0};
  Plan plan_;
};

}  // namespace nerve::convert
