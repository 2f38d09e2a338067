// SPDX-License-Identifier: Apache-2.0
#include "nerve/convert/convert.h"

#include "load/load.h"
#include "plan/planner.h"
#include "plan/source_schema.h"
#include "rules/ruled_source.h"
#include "scan/source_scan.h"
#include "source/source_snapshot.h"
#include "target/append_target.h"
#include "target/ledger.h"
#include "target/rejects_file.h"
#include "target/step_runner.h"
#include "target/table_sql.h"
#include "target/target_schema.h"
#include "verify/table_comparison.h"
#include "work/workers.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

namespace nerve::convert {
namespace {

/// Large enough for COPY to run at its full speed, small enough for two workers to end together.
constexpr std::int64_t range_bytes = 64 * 1024 * 1024;
constexpr std::size_t differences_max = 10;
constexpr std::size_t relations_named_max = 5;

std::chrono::milliseconds milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

/// The source, held still, and what is to become of it.
struct PlannedSource {
  PlannedSource(const std::filesystem::path& path, const ConvertOptions& options, ProgressSink* progress)
      : snapshot(path, std::max(options.workers, 1)) {
    SourceSchema schema = read_source_schema(snapshot.reader(0));
    const CasePolicy case_policy =
        rule_schema(options.rules, options.folds_case ? CasePolicy::lower : CasePolicy::keep, schema);
    const auto begin = std::chrono::steady_clock::now();
    profiles = scan_source(snapshot, schema, range_bytes, progress);
    scan_duration = milliseconds_since(begin);
    judge_ruled_types(options.rules, snapshot.reader(0), schema, profiles);
    plan =
        make_plan({.source = snapshot.reader(0).path(), .schema = options.schema, .case_policy = case_policy},
                  schema, profiles);
    if (options.may_append) restrict_to_rows(plan);
  }

  /// Of all tables' content.
  std::string digest() const {
    DigestedRow all;
    for (const TableProfile& table : profiles) {
      all.add(as_bytes(table.name));
      all.add(static_cast<std::uint64_t>(table.rows));
      all.add(table.digest_low);
      all.add(table.digest_high);
    }
    return digest_text(all.finish());
  }
  static std::string digest_text(const RowDigest& digest) {
    return fmt::format("{:016x}{:016x}", digest.high, digest.low);
  }

  SourceSnapshot snapshot;
  std::vector<TableProfile> profiles;
  std::chrono::milliseconds scan_duration{0};
  Plan plan;
};

void require_place_for_rejects(const Plan& plan, const ConvertOptions& options) {
  for (const TablePlan& table : plan.tables) {
    for (const ColumnPlan& column : table.columns) {
      if (column.misfits == 0 || (!options.rejects.empty() && column.on_misfit != OnMisfit::fail)) continue;
      if (column.on_misfit == OnMisfit::fail) {
        throw ValidationError(
            fmt::format("{} values of {}.{} cannot be stored as {}, and its rule is to fail", column.misfits,
                        table.source, column.source, to_ddl(column.type)),
            "Give the column another type or another on_misfit in the rules file.");
      }
      throw ValidationError(
          fmt::format("{} values of {}.{} cannot be stored as {} ({})", column.misfits, table.source,
                      column.source, to_ddl(column.type), column.why),
          "Name a file for the rows that are left out with --rejects FILE, or give the column another type.");
    }
  }
}

/// One conversion, from the plan to the report.
class Conversion {
 public:
  Conversion(PlannedSource& source, std::string url, const ConvertOptions& options, ProgressSink* progress)
      : source_(source),
        plan_(source.plan),
        url_(std::move(url)),
        options_(options),
        progress_(progress),
        target_(url_, options.target),
        ledger_({.schema = plan_.schema,
                 .source = plan_.source.string(),
                 .source_digest = source.digest(),
                 .plan_digest = PlannedSource::digest_text(digest_of(as_bytes(to_json(plan_).dump())))}) {}

  ConvertReport run();

 private:
  void timed(const char* part, const std::function<void()>& work);
  void run_resumable();
  void run_at_once();
  void begin();
  void require_not_appended();
  void begin_append();
  void make_tables();
  void make_table(const TablePlan& table);
  void finish_schema();
  void verify();
  void report_loaded(LoadResult loaded);

  PlannedSource& source_;
  const Plan& plan_;
  std::string url_;
  const ConvertOptions& options_;
  ProgressSink* progress_;
  postgresql::Session target_;
  Ledger ledger_;
  ConvertReport report_;
  std::vector<RangeResult> sent_;  ///< by table
};

ConvertReport Conversion::run() {
  report_.durations.emplace_back("scan", source_.scan_duration);
  require_supported_server(target_);
  if (plan_.schema == Ledger::schema) {
    throw ValidationError("schema " + plan_.schema + " keeps the state of conversions",
                          "Convert into another schema with --schema NAME.");
  }
  require_place_for_rejects(plan_, options_);
  if (options_.is_atomic) {
    target_.transaction([&] {
      run_at_once();
      source_.snapshot.require_unchanged();
    });
  } else {
    run_resumable();
    source_.snapshot.require_unchanged();
  }
  report_.plan = plan_;
  return std::move(report_);
}

void Conversion::timed(const char* part, const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  report_.durations.emplace_back(part, milliseconds_since(begin));
}

void Conversion::run_resumable() {
  begin();
  const auto load = [&] {
    return load_tables(plan_, ledger_, source_.snapshot, url_, options_.target, progress_);
  };
  timed("load", [&] { report_loaded(load()); });
  timed("constraints", [&] { finish_schema(); });
  timed("comparison", [&] { verify(); });
  if (!options_.rejects.empty()) report_.rejects = write_rejects(options_.rejects, ledger_, target_);
  target_.transaction([&] { ledger_.end(target_); });
}

/// The ledger is needed for the rejects only, and goes where it was not there before.
void Conversion::run_at_once() {
  // That something was appended is to be known later on.
  const bool is_new = !plan_.appends && !Ledger::exists(target_);
  begin();
  if (plan_.appends) target_.execute("SET CONSTRAINTS ALL DEFERRED");
  const auto load = [&] { return load_tables_at_once(plan_, ledger_, source_.snapshot, target_, progress_); };
  timed("load", [&] { report_loaded(load()); });
  if (plan_.appends) target_.execute("SET CONSTRAINTS ALL IMMEDIATE");
  timed("constraints", [&] { finish_schema(); });
  timed("comparison", [&] { verify(); });
  if (!options_.rejects.empty()) report_.rejects = write_rejects(options_.rejects, ledger_, target_);
  if (is_new) {
    target_.execute("DROP SCHEMA nerve_convert CASCADE");
  } else {
    ledger_.end(target_);
  }
}

void Conversion::begin() {
  const ConversionState state = options_.may_replace ? ConversionState::none : ledger_.state(target_);
  report_.is_resumed = state == ConversionState::begun;
  if (report_.is_resumed && options_.is_atomic) {
    throw ConflictError(
        fmt::format("a conversion into schema {} was begun without --atomic, and is there in part",
                    plan_.schema),
        "Go on with it without --atomic.");
  }
  if (report_.is_resumed) return;
  if (plan_.appends) {
    require_not_appended();
  } else if (!options_.may_replace) {
    const auto relations = relations_of(target_, plan_.schema, relations_named_max);
    if (!relations.empty()) {
      throw ConflictError(
          fmt::format("schema {} of {} is not empty: it has {}{}", plan_.schema, target_.name(),
                      fmt::join(relations, ", "), relations.size() == relations_named_max ? " …" : ""),
          "Convert into another schema with --schema NAME, add to what stands there with --append, or drop "
          "it with "
          "--replace.");
    }
  }
  const auto make = [&] { plan_.appends ? begin_append() : make_tables(); };
  if (options_.is_atomic) return make();
  target_.transaction(make);
}

void Conversion::require_not_appended() {
  if (!ledger_.has_ended_with_source(target_)) return;
  throw ConflictError(
      fmt::format("this state of {} was converted into schema {} already, and its rows would be there twice",
                  plan_.source.string(), plan_.schema),
      fmt::format(
          "To append them all the same, forget that first: DELETE FROM nerve_convert.conversion WHERE "
          "target_schema = {};",
          postgresql::quote_literal(plan_.schema)));
}

/// What is there before is known from the very transaction that begins: it and what is sent must be there in
/// the end.
void Conversion::begin_append() {
  Ledger::create_tables(target_);
  ledger_.forget(target_);
  ledger_.begin(target_);
  for (const TablePlan& table : plan_.tables)
    ledger_.add_before(target_, table, sum_target(target_, table, plan_.schema));
}

/// Schema, ledger and empty tables come into being together.
void Conversion::make_tables() {
  Ledger::create_tables(target_);
  create_schema(target_, plan_.schema);
  ledger_.forget(target_);
  if (options_.may_replace) drop_relations(target_, plan_.schema);
  ledger_.begin(target_);
  for (const TablePlan& table : plan_.tables) make_table(table);
}

void Conversion::make_table(const TablePlan& table) {
  try {
    target_.execute(create_table_sql(table, plan_.schema));
  } catch (const DatabaseError& error) {
    // What it does not take is a default or a computed column; a server that is away or full is another
    // matter.
    if (error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::denied) throw;
    throw DatabaseError(
        error.kind(), fmt::format("cannot make table {}: {}", table.source, error.what()),
        "See its columns with 'nerve-db convert --plan', and drop the default or the computed "
        "column that is named from a copy of the source.",
        error.code());
  }
}

void Conversion::finish_schema() {
  const Ledger::DoneSteps done = ledger_.done_steps(target_);
  bool is_previous_refused = false;
  for (std::size_t i = 0; i < plan_.at_end.size(); ++i) {
    const Step& step = plan_.at_end[i];
    if (step.needs_previous && is_previous_refused) continue;
    const std::string key = "#" + std::to_string(i);
    const auto found = done.find(key);
    const std::string refusal = found != done.end()
                                    ? found->second
                                    : run_step(target_, ledger_, step, key,
                                               options_.is_atomic ? Transactions::one : Transactions::each);
    is_previous_refused = !refusal.empty();
    if (!is_previous_refused) continue;
    report_.refused.push_back(step.object);
    report_.refused.back().reason = refusal;
  }
}

void Conversion::report_loaded(LoadResult loaded) {
  const std::vector<RangeResult>& results = loaded.tables;
  for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
    const TablePlan& table = plan_.tables[i];
    TableReport& report = report_.tables.emplace_back();
    report.source = table.source;
    report.target = table.target;
    report.rows = table.rows;
    report.stored = results[i].stored.rows;
    report.rejected = results[i].rejected;
    report.nulled = results[i].nulled;
    for (const ColumnPlan& column : table.columns) report.changed += column.changed;
  }
  sent_ = std::move(loaded.tables);
  report_.refused = std::move(loaded.refused);
}

/// Compares a table's rows in the target with what `expected` says, and finds those that differ.
void compare_table(const Plan& plan, std::size_t place, const DigestSum& expected, sqlite::Session& source,
                   postgresql::Session& target, TableReport& report) {
  const TablePlan& table = plan.tables[place];
  const DigestSum found = sum_target(target, table, plan.schema);
  report.target_rows = found.rows;
  // A row of the scan that was neither sent nor rejected would be missed by neither digest.
  report.is_equal = found == expected && report.stored + report.rejected == report.rows;
  if (report.is_equal) return;
  report.differences = find_differences(source, target, table, place, plan.schema, differences_max);
  // What was there before is in the target alone.
  if (plan.appends)
    std::erase_if(report.differences, [](const RowDifference& row) { return row.side == "target"; });
}

/// The places of the tables, the largest first.
std::vector<std::size_t> by_size(const Plan& plan) {
  std::vector<std::size_t> order(plan.tables.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::size_t table) { return plan.tables[table].bytes; });
  return order;
}

/// Calls `work` for each table, by as many threads as the snapshot has readers, each with a session of its
/// own.
void for_each_table(const Plan& plan, SourceSnapshot& snapshot, const std::string& url,
                    const OpenOptions& options, ProgressSink* progress,
                    const std::function<void(std::size_t, sqlite::Session&, postgresql::Session&)>& work) {
  const std::vector<std::size_t> order = by_size(plan);
  std::vector<postgresql::Session> targets;
  for (std::size_t i = 0; i < snapshot.size(); ++i) targets.emplace_back(url, options);
  std::atomic<std::size_t> next = 0;
  std::atomic<std::int64_t> done = 0;
  std::int64_t total = 0;
  for (const TablePlan& table : plan.tables) total += table.bytes;
  std::atomic<bool> is_stopped = false;
  run_workers(
      snapshot.size(),
      [&](std::size_t number) {
        for (std::size_t i = next++; i < order.size() && !is_stopped; i = next++) {
          work(order[i], snapshot.reader(number), targets[number]);
          done += plan.tables[order[i]].bytes;
        }
      },
      is_stopped,
      [&] {
        if (progress != nullptr)
          progress->update("comparing", static_cast<std::uint64_t>(done.load()),
                           static_cast<std::uint64_t>(total));
      });
}

void Conversion::verify() {
  const std::map<std::string, DigestSum> before = ledger_.before(target_);
  std::vector<DigestSum> expected;
  for (std::size_t table = 0; table < plan_.tables.size(); ++table) {
    expected.push_back(sent_[table].stored);
    const auto found = before.find(plan_.tables[table].source);
    if (found == before.end()) continue;
    expected.back().add(found->second);
    report_.tables[table].target_rows_before = found->second.rows;
  }
  if (options_.is_atomic) {
    for (std::size_t table = 0; table < plan_.tables.size(); ++table)
      compare_table(plan_, table, expected[table], source_.snapshot.reader(0), target_,
                    report_.tables[table]);
    return;
  }
  for_each_table(plan_, source_.snapshot, url_, options_.target, progress_,
                 [&](std::size_t table, sqlite::Session& source, postgresql::Session& target) {
                   compare_table(plan_, table, expected[table], source, target, report_.tables[table]);
                 });
}

}  // namespace

bool ConvertReport::is_complete() const noexcept {
  return plan.untranslated.empty() && refused.empty() &&
         std::ranges::all_of(tables, [](const TableReport& table) {
           return table.is_equal && table.rejected == 0 && table.nulled == 0 && table.changed == 0;
         });
}

Plan plan_conversion(const std::filesystem::path& source, const ConvertOptions& options,
                     ProgressSink* progress) {
  return PlannedSource(source, options, progress).plan;
}

ConvertReport convert(const std::filesystem::path& source, const std::string& target_url,
                      const ConvertOptions& options, ProgressSink* progress) {
  PlannedSource planned(source, options, progress);
  if (options.may_append) {
    postgresql::Session target(target_url, options.target);
    fit_to_target(planned.plan, target, options.is_atomic);
  }
  return Conversion(planned, target_url, options, progress).run();
}

std::vector<TableReport> verify_conversion(const std::filesystem::path& source, const std::string& target_url,
                                           const ConvertOptions& options, ProgressSink* progress) {
  PlannedSource planned(source, options, progress);
  const Plan& plan = planned.plan;
  std::vector<TableReport> reports(plan.tables.size());
  for_each_table(plan, planned.snapshot, target_url, options.target, progress,
                 [&](std::size_t table, sqlite::Session& from, postgresql::Session& to) {
                   TableReport& report = reports[table];
                   report.source = plan.tables[table].source;
                   report.target = plan.tables[table].target;
                   report.rows = plan.tables[table].rows;
                   const DigestSum expected = sum_source(from, plan.tables[table], table);
                   report.stored = expected.rows;
                   report.rejected = report.rows - expected.rows;
                   compare_table(plan, table, expected, from, to, report);
                 });
  planned.snapshot.require_unchanged();
  return reports;
}

}  // namespace nerve::convert
