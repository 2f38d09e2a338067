// SPDX-License-Identifier: Apache-2.0
#include "planned_source.h"

#include "plan/planner.h"
#include "rules/ruled_source.h"
#include "scan/readable_tables.h"
#include "scan/table_scan.h"
#include "source/source_damage.h"
#include "target/append_target.h"
#include "values/row_digest.h"

#include "nerve/core/bytes.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>

namespace nerve::convert {
namespace {

std::string digest_text(const RowDigest& digest) {
  return fmt::format("{:016x}{:016x}", digest.high, digest.low);
}

std::chrono::milliseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

std::string content_digest(const TableProfile& table) {
  DigestedRow all;
  all.add(static_cast<std::uint64_t>(table.rows));
  all.add(table.digest_low);
  all.add(table.digest_high);
  return digest_text(all.finish());
}

}  // namespace

PlannedSource::PlannedSource(const std::filesystem::path& path, const ConvertOptions& options)
    : options_(options),
      snapshot_(path, std::max(options.workers, 1)),
      schema_(told_as_damage(path, options.checks_source,
                             [&] { return read_source_schema(snapshot_.reader(0)); })) {
  for (const SourceTable& table : schema_.tables) whole_tables_.push_back(table.query);
  case_policy_ =
      rule_schema(options_.rules, options_.folds_case ? CasePolicy::lower : CasePolicy::keep, schema_);
}

void PlannedSource::check(ProgressSink* progress) {
  if (!options_.checks_source) return;
  const auto begin = std::chrono::steady_clock::now();
  check_.unchecked = require_sound(snapshot_.reader(0), progress);
  check_.is_done = true;
  check_duration_ = since(begin);
}

void PlannedSource::make_plan(ProgressSink* progress) {
  const auto begin = std::chrono::steady_clock::now();
  snapshot_.stand_in_for_collations();
  profiles_ = told_as_damage(snapshot_.reader(0).path(), options_.checks_source, [&] {
    return scan_readable(snapshot_, schema_,
                         {.range_bytes = options_.range_bytes, .leaves_out_damaged = !options_.checks_source},
                         progress);
  });
  forget_unreadable();
  scan_duration_ = since(begin);
  judge_ruled_types(options_.rules, snapshot_.reader(0), schema_, profiles_);
  plan_ = convert::make_plan(
      {.source = snapshot_.reader(0).path(), .schema = options_.schema, .case_policy = case_policy_}, schema_,
      profiles_);
  if (options_.may_append) restrict_to_rows(plan_);
}

void PlannedSource::forget_unreadable() {
  for (const Untranslated& object : schema_.skipped) {
    const auto whole = std::ranges::find(whole_tables_, object.table, &TableQuery::name);
    if (object.kind == unreadable_column && whole != whole_tables_.end())
      std::erase(whole->columns, object.name);
  }
}

void PlannedSource::digest_whole_tables() {
  for (const SourceTable& table : schema_.tables) {
    const auto whole = std::ranges::find(whole_tables_, table.query.name, &TableQuery::name);
    if (whole == whole_tables_.end() || whole->columns.size() == table.query.columns.size()) continue;
    const std::vector<ColumnInterest> nothing(whole->columns.size());
    const TablePart all = scan_part(snapshot_.reader(0), *whole, {}, nothing, options_.range_bytes,
                                    [](std::int64_t) { throw_if_interrupted(); });
    whole_digests_[table.query.name] = content_digest(all.profile);
  }
}

std::vector<std::string> PlannedSource::table_digests(const std::string& table) const {
  std::vector<std::string> digests;
  const auto profile = std::ranges::find(profiles_, table, &TableProfile::name);
  if (profile != profiles_.end()) digests.push_back(content_digest(*profile));
  const auto whole = whole_digests_.find(table);
  if (whole != whole_digests_.end()) digests.push_back(whole->second);
  return digests;
}

std::string PlannedSource::digest() const {
  DigestedRow all;
  for (const TableProfile& table : profiles_) {
    all.add(as_bytes(table.name));
    all.add(static_cast<std::uint64_t>(table.rows));
    all.add(table.digest_low);
    all.add(table.digest_high);
  }
  return digest_text(all.finish());
}

std::string PlannedSource::plan_digest() const {
  DigestedRow all;
  all.add(as_bytes(to_json(plan_).dump()));
  for (const TablePlan& table : plan_.tables) {
    all.add(static_cast<std::uint64_t>(table.range_starts.size()));
    for (const std::int64_t start : table.range_starts) all.add(static_cast<std::uint64_t>(start));
  }
  return digest_text(all.finish());
}

}  // namespace nerve::convert
