// SPDX-License-Identifier: Apache-2.0
#include "nerve/convert/convert.h"

#include "load/append_to.h"
#include "load/load.h"
#include "planned_source.h"
#include "scan/orphans.h"
#include "target/append_target.h"
#include "target/end_steps.h"
#include "target/ledger.h"
#include "target/rejects_file.h"
#include "target/table_creation.h"
#include "target/table_sql.h"
#include "target/target_schema.h"
#include "verify/table_comparison.h"
#include "verify/table_sums.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <span>
#include <utility>

namespace nerve::convert {
namespace {

/// The whole takes so many times as long as the scan: benchmarks/convert.
constexpr int scans_in_conversion = 8;
constexpr std::size_t differences_max = 10;
constexpr std::size_t relations_named_max = 5;

/// A session for each reader of the source.
std::vector<postgresql::Session> open_workers(const std::string& url, const ConvertOptions& options,
                                              std::size_t count) {
  std::vector<postgresql::Session> sessions;
  for (std::size_t i = 0; i < count; ++i) {
    sessions.push_back(connect_target(url, options.target));
    if (count > 1) use_one_process(sessions.back());
  }
  return sessions;
}

void require_empty(postgresql::Session& target, const std::string& schema) {
  const auto relations = relations_of(target, schema, relations_named_max);
  if (relations.empty()) return;
  throw ConflictError(
      fmt::format("schema {} of {} is not empty: it has {}{}", schema, target.name(),
                  fmt::join(relations, ", "), relations.size() == relations_named_max ? " …" : ""),
      "If an earlier conversion has made it, 'nerve-db convert verify' compares it with the source. Convert "
      "into "
      "another schema with --schema NAME, add to what stands there with --append, or drop it with "
      "--replace.");
}

/// Connects to a target into which can be converted as far as it shows by itself: before the source is read,
/// which may take long.
postgresql::Session open_target(const std::string& url, const ConvertOptions& options) {
  postgresql::Session target = connect_target(url, options.target);
  require_supported_server(target);
  require_schema_name(options.schema);
  if (options.schema == Ledger::schema) {
    throw ValidationError("schema " + options.schema + " keeps the state of conversions",
                          "Convert into another schema with --schema NAME.");
  }
  // Its views, its triggers and the defaults of its columns run as whoever converts.
  target.require_trusted_schema(options.schema);
  const bool may_stand =
      options.may_replace || options.may_append || Ledger::has_begun(target, options.schema);
  if (!may_stand) require_empty(target, options.schema);
  return target;
}

/// Thrown inside the transaction of an atomic conversion, to end it without its work.
struct NotEqual {};

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
  Conversion(PlannedSource& source, std::string url, postgresql::Session target,
             const ConvertOptions& options, ProgressSink* progress)
      : source_(source),
        plan_(source.plan()),
        url_(std::move(url)),
        options_(options),
        progress_(progress),
        target_(std::move(target)),
        ledger_({.schema = plan_.schema,
                 .source = plan_.source.string(),
                 .source_digest = source.digest(),
                 .plan_digest = source.plan_digest()}) {}

  ConvertReport run();

 private:
  void timed(const char* part, const std::function<void()>& work);
  void run_in_transaction();
  void run_at_once();
  void work();
  LoadResult load();
  void begin();
  void end();
  void begin_or_take_over();
  void require_not_appended();
  void begin_append();
  void renew_before();
  void set_before(const Plan& tables);
  std::vector<SentTable> sent_tables() const;
  void run_steps();
  void make_tables();
  std::span<postgresql::Session> sessions() noexcept;
  Transactions transactions() const noexcept {
    return options_.is_atomic ? Transactions::one : Transactions::each;
  }
  void verify();
  void write_rejects_file();
  void report_loaded(LoadResult loaded);

  PlannedSource& source_;
  Plan& plan_;
  std::string url_;
  const ConvertOptions& options_;
  ProgressSink* progress_;
  postgresql::Session target_;
  std::vector<postgresql::Session> workers_;  ///< one for each reader of the source, or none
  Ledger ledger_;
  ConvertReport report_;
  std::vector<DigestSum> sent_;  ///< by table
};

ConvertReport Conversion::run() {
  report_.check = source_.checked();
  if (report_.check.is_done) report_.durations.emplace_back("check", source_.check_duration());
  report_.durations.emplace_back("scan", source_.scan_duration());
  require_place_for_rejects(plan_, options_);
  if (options_.is_atomic) {
    run_in_transaction();
  } else {
    begin();
    workers_ = open_workers(url_, options_, source_.snapshot().size());
    // Who holds a lock of a table that was made just now is another one of them.
    if (!plan_.appends) {
      for (postgresql::Session& worker : workers_) worker.execute("SET lock_timeout = 0");
    }
    work();
    target_.transaction([&] {
      ledger_.require_own(target_);
      write_rejects_file();
      end();
    });
  }
  report_.plan = plan_;
  return std::move(report_);
}

void Conversion::run_in_transaction() {
  std::vector<Untranslated> plain;
  while (true) {
    try {
      target_.transaction([&] { run_at_once(); });
      break;
    } catch (const NotEqual&) {
      report_.is_rolled_back = true;
      break;
    } catch (const ComputeError& error) {
      // An append sends to tables that stand, and throws no such error.
      std::ranges::move(make_computed_plain(plan_, plan_.tables[error.table()], error.what()),
                        std::back_inserter(plain));
    }
  }
  std::ranges::move(plain, std::back_inserter(report_.refused));
}

void Conversion::timed(const char* part, const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  report_.durations.emplace_back(
      part, std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin));
}

void Conversion::run_at_once() {
  begin();
  work();
  write_rejects_file();
  // What is set on stays so when all else is rolled back: hardly more than the commit may follow.
  if (plan_.appends) run_steps();
  end();
}

void Conversion::end() {
  if (!plan_.appends) {
    for (const TablePlan& table : plan_.tables) target_.execute(vacuum_by_itself_sql(table, plan_.schema));
  }
  ledger_.end(target_, sent_tables());
}

void Conversion::work() {
  const bool defers = plan_.appends && options_.is_atomic;
  if (defers) target_.execute("SET CONSTRAINTS ALL DEFERRED");
  timed("load", [&] { report_loaded(load()); });
  if (defers) {
    append_to("the tables of schema " + plan_.schema, transactions(), [&] {
      use_own_path(target_);
      target_.execute("SET CONSTRAINTS ALL IMMEDIATE");
      use_server_path(target_);
    });
  }
  if (!defers) run_steps();
  timed("comparison", [&] { verify(); });
  source_.snapshot().require_unchanged();
  if (options_.is_atomic && !std::ranges::all_of(report_.tables, &TableReport::is_equal)) throw NotEqual();
}

/// Columns that the server cannot compute become plain ones, and what is loaded stays.
LoadResult Conversion::load() {
  while (true) {
    try {
      return load_tables(plan_, ledger_, source_.snapshot(), sessions(),
                         {.transactions = transactions(), .may_reject = !options_.rejects.empty()},
                         progress_);
    } catch (const ComputeError& error) {
      if (options_.is_atomic) throw;
      target_.transaction([&] {
        ledger_.require_own(target_);
        std::ranges::move(drop_computed(target_, plan_, plan_.tables[error.table()], error.what(), ledger_),
                          std::back_inserter(report_.refused));
      });
    }
  }
}

void Conversion::write_rejects_file() {
  if (!options_.rejects.empty()) report_.rejects = write_rejects(options_.rejects, ledger_, target_);
}

void Conversion::run_steps() {
  timed("constraints", [&] {
    std::ranges::move(run_end_steps(plan_, ledger_, sessions(), transactions(), progress_),
                      std::back_inserter(report_.refused));
  });
}

std::span<postgresql::Session> Conversion::sessions() noexcept {
  return workers_.empty() ? std::span(&target_, 1) : std::span(workers_);
}

void Conversion::begin() {
  if (options_.is_atomic) return begin_or_take_over();
  target_.transaction([&] { begin_or_take_over(); });
}

void Conversion::begin_or_take_over() {
  Ledger::lock(target_);
  // Somebody may have made it since it was found that there is none.
  target_.require_trusted_schema(plan_.schema);
  report_.is_resumed = !options_.may_replace && ledger_.may_go_on(target_);
  if (report_.is_resumed && options_.is_atomic) {
    throw ConflictError(
        "a conversion into schema " + plan_.schema + " was begun without --atomic and not ended",
        "Go on with it without --atomic. " + ledger_.how_to_give_up());
  }
  if (report_.is_resumed) {
    Ledger::create_tables(target_);
    ledger_.take_over(target_);
    if (plan_.appends) {
      renew_before();
    } else {
      report_.refused = recall_plain_columns(target_, plan_, ledger_);
    }
    return;
  }
  if (plan_.appends) return begin_append();
  if (!options_.may_replace) require_empty(target_, plan_.schema);
  make_tables();
}

void Conversion::require_not_appended() {
  std::vector<std::string> tables;
  for (const TablePlan& table : plan_.tables) {
    if (table.rows == 0) continue;
    const std::vector<std::string> digests = source_.table_digests(table.source);
    const bool was_sent = std::ranges::any_of(digests, [&](const std::string& digest) {
      return ledger_.was_sent(target_, {.target = table.target, .digest = digest});
    });
    if (was_sent) tables.push_back(table.target);
  }
  if (tables.empty()) return;
  std::vector<std::string> literals;
  literals.reserve(tables.size());
  for (const std::string& table : tables) literals.push_back(postgresql::quote_literal(table));
  throw ConflictError(
      fmt::format("this state of {} was converted into schema {} already, and its rows would be twice in {}",
                  plan_.source.string(), plan_.schema, list_names(tables)),
      fmt::format("Skip what is there already with --rules FILE. To append it all the same, forget it first: "
                  "DELETE FROM nerve_convert.sent WHERE target_schema = {} AND target_table IN ({});",
                  postgresql::quote_literal(plan_.schema), fmt::join(literals, ", ")));
}

/// What has rows in the target from now on.
std::vector<SentTable> Conversion::sent_tables() const {
  std::vector<SentTable> sent;
  for (std::size_t table = 0; table < plan_.tables.size(); ++table) {
    if (report_.tables[table].stored == 0) continue;
    for (std::string& digest : source_.table_digests(plan_.tables[table].source))
      sent.push_back({.target = plan_.tables[table].target, .digest = std::move(digest)});
  }
  return sent;
}

/// What is there before is known from the very transaction that begins: it and what is sent must be there in
/// the end.
void Conversion::begin_append() {
  Ledger::create_tables(target_);
  require_not_appended();
  ledger_.forget(target_);
  ledger_.begin(target_);
  set_before(plan_);
}

/// Of tables into which nothing was sent yet rows may have been taken that were in the way.
void Conversion::renew_before() {
  const Ledger::DoneRanges done = ledger_.done_ranges(target_);
  Plan untouched;
  untouched.schema = plan_.schema;
  for (const TablePlan& table : plan_.tables) {
    const bool is_begun =
        std::ranges::any_of(done, [&](const auto& range) { return range.first.first == table.source; });
    if (!is_begun) untouched.tables.push_back(table);
  }
  set_before(untouched);
}

void Conversion::set_before(const Plan& tables) {
  const TableSums before =
      sum_tables(tables, source_.snapshot(), std::span(&target_, 1), Sides::target, progress_);
  for (std::size_t table = 0; table < tables.tables.size(); ++table)
    ledger_.set_before(target_, tables.tables[table], before.target[table]);
}

/// Schema, ledger and empty tables come into being together.
void Conversion::make_tables() {
  Ledger::create_tables(target_);
  create_schema(target_, plan_.schema);
  ledger_.forget(target_);
  ledger_.forget_sent(target_);
  if (options_.may_replace) drop_relations(target_, plan_.schema);
  ledger_.begin(target_);
  report_.refused = create_tables(target_, plan_, ledger_);
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
    sent_.push_back(results[i].stored);
    for (const ColumnPlan& column : table.columns) report.changed += column.changed;
  }
  std::ranges::move(loaded.refused, std::back_inserter(report_.refused));
}

/// Says of each table whether the target has the rows that are expected, and finds those that differ.
void compare_tables(const Plan& plan, const std::vector<DigestSum>& expected,
                    const std::vector<DigestSum>& found, sqlite::Session& source, postgresql::Session& target,
                    std::vector<TableReport>& reports) {
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    TableReport& report = reports[i];
    report.target_rows = found[i].rows;
    // A row of the scan that was neither sent nor rejected would be missed by neither digest.
    report.is_equal = found[i] == expected[i] && report.stored + report.rejected == report.rows;
    if (report.is_equal) continue;
    const ComparedTable table{source, target, plan.tables[i], i, plan.schema};
    // What was there before is in the target alone.
    report.differences =
        plan.appends ? find_missing(table, differences_max) : find_differences(table, differences_max);
  }
}

void Conversion::verify() {
  const std::map<std::string, DigestSum> before = ledger_.before(target_);
  std::vector<DigestSum> expected = sent_;
  for (std::size_t table = 0; table < plan_.tables.size(); ++table) {
    const auto found = before.find(plan_.tables[table].source);
    if (found == before.end()) continue;
    expected[table].add(found->second);
    report_.tables[table].target_rows_before = found->second.rows;
  }
  const TableSums sums = sum_tables(plan_, source_.snapshot(), sessions(), Sides::target, progress_);
  compare_tables(plan_, expected, sums.target, source_.snapshot().reader(0), target_, report_.tables);
}

}  // namespace

bool ConvertReport::is_complete() const noexcept {
  return plan.untranslated.empty() && refused.empty() &&
         std::ranges::all_of(tables, [](const TableReport& table) {
           return table.is_equal && table.rejected == 0 && table.nulled == 0 && table.changed == 0;
         });
}

PlannedConversion plan_conversion(const std::filesystem::path& source, const ConvertOptions& options,
                                  ProgressSink* progress) {
  PlannedSource planned(source, options);
  planned.check(progress);
  planned.make_plan(progress);
  return {.plan = std::move(planned.plan()),
          .check = planned.checked(),
          .forecast = {.orphans = find_orphans(planned.snapshot().reader(0), planned.schema()),
                       .duration = planned.check_duration() + planned.scan_duration() * scans_in_conversion}};
}

ConvertReport convert(const std::filesystem::path& source, const std::string& target_url,
                      const ConvertOptions& options, ProgressSink* progress) {
  PlannedSource planned(source, options);
  require_rejects_place(options.rejects);
  postgresql::Session target = open_target(target_url, options);
  planned.check(progress);
  planned.make_plan(progress);
  planned.digest_whole_tables();
  if (options.may_append) fit_to_target(planned.plan(), target, options.is_atomic);
  return Conversion(planned, target_url, std::move(target), options, progress).run();
}

std::vector<TableReport> verify_conversion(const std::filesystem::path& source, const std::string& target_url,
                                           const ConvertOptions& options, ProgressSink* progress) {
  PlannedSource planned(source, options);
  std::vector<postgresql::Session> targets = open_workers(target_url, options, planned.snapshot().size());
  targets.front().require_trusted_schema(options.schema);
  planned.make_plan(progress);
  const Plan& plan = planned.plan();
  require_planned_tables(targets.front(), plan);
  const TableSums sums = sum_tables(plan, planned.snapshot(), targets, Sides::both, progress);
  std::vector<TableReport> reports(plan.tables.size());
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    reports[i].source = plan.tables[i].source;
    reports[i].target = plan.tables[i].target;
    reports[i].rows = plan.tables[i].rows;
    reports[i].stored = sums.source[i].rows;
    reports[i].rejected = reports[i].rows - reports[i].stored;
  }
  compare_tables(plan, sums.source, sums.target, planned.snapshot().reader(0), targets.front(), reports);
  planned.snapshot().require_unchanged();
  return reports;
}

}  // namespace nerve::convert
