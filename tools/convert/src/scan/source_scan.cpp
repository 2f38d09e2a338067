// SPDX-License-Identifier: Apache-2.0
#include "scan/source_scan.h"

#include "scan/table_parts.h"
#include "work/workers.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace nerve::convert {

namespace {

/// A part of a table, as one worker reads it.
struct PartOfTable {
  std::size_t table = 0;
  std::size_t part = 0;
  RowidRange rowids;
};

/// Runs `work`, which reads a table, and says why SQLite refuses that; empty where it does not. What concerns
/// the file is thrown.
std::string refusal_of(sqlite::Session& session, const TableQuery& table, bool leaves_out_damaged,
                       const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const IntegrityError&) {
    if (!leaves_out_damaged) throw;
    return "its pages are damaged";
  } catch (const DatabaseError& error) {
    const bool is_about_rows = error.code().starts_with("SQLITE_ERROR") || error.code() == "SQLITE_TOOBIG";
    if (!is_about_rows) throw;
    // Words about values are not repeated, for they may quote one.
    return session.prepare_error(select_rows(table))
        .value_or("an expression has no value for one of its rows");
  }
}

/// One pass over some tables of a source.
class Scan {
 public:
  Scan(SourceSnapshot& snapshot, const SourceSchema& schema, const ScanOptions& options)
      : snapshot_(snapshot), schema_(schema), options_(options), parts_(schema.tables.size()) {}

  void plan(std::size_t table) {
    sqlite::Session& session = snapshot_.reader(0);
    const TableQuery& query = schema_.tables[table].query;
    std::vector<RowidRange> ranges;
    note(table, refusal_of(session, query, options_.leaves_out_damaged,
                           [&] { ranges = table_parts(session, query); }));
    for (const RowidRange& rowids : ranges) {
      tasks_.push_back({table, parts_[table].size(), rowids});
      parts_[table].emplace_back();
    }
  }

  void run(ProgressSink* progress) {
    // Small tables at the end, so that all workers end at about the same time.
    std::ranges::stable_sort(tasks_, std::greater(),
                             [&](const PartOfTable& task) { return parts_[task.table].size(); });
    run_tasks(
        snapshot_.size(), tasks_.size(),
        [&](std::size_t worker, std::size_t task) { read(worker, tasks_[task]); }, is_stopped_,
        [&] {
          if (progress != nullptr) progress->update("scanning", static_cast<std::uint64_t>(bytes_.load()), 0);
        });
  }

  TableProfile profile(std::size_t table) {
    return join_parts(std::move(parts_[table]), options_.range_bytes);
  }
  const std::map<std::size_t, std::string>& unread() const noexcept { return unread_; }

 private:
  void note(std::size_t table, std::string reason) {
    if (reason.empty()) return;
    const std::scoped_lock lock(mutex_);
    unread_.emplace(table, std::move(reason));
  }

  bool is_unread(std::size_t table) {
    const std::scoped_lock lock(mutex_);
    return unread_.contains(table);
  }

  void read(std::size_t worker, const PartOfTable& task) {
    if (is_unread(task.table)) return;
    sqlite::Session& session = snapshot_.reader(worker);
    const SourceTable& table = schema_.tables[task.table];
    note(task.table, refusal_of(session, table.query, options_.leaves_out_damaged, [&] {
           parts_[task.table][task.part] =
               scan_part(session, table.query, task.rowids, table.interests, options_.range_bytes,
                         [&](std::int64_t count) {
                           if (is_stopped_) throw CancelledError("another part of the scan failed");
                           bytes_ += count;
                         });
         }));
    const std::string collation = snapshot_.take_stand_in_used(worker);
    if (collation.empty()) return;
    note(task.table,
         "an expression compares by the collation " + collation + ", which only its application has");
  }

  SourceSnapshot& snapshot_;
  const SourceSchema& schema_;
  ScanOptions options_;
  std::vector<PartOfTable> tasks_;
  std::vector<std::vector<TablePart>> parts_;  ///< by table
  std::atomic<std::int64_t> bytes_ = 0;
  std::atomic<bool> is_stopped_ = false;
  std::mutex mutex_;
  std::map<std::size_t, std::string> unread_;  ///< reasons by table
};

}  // namespace

std::vector<UnreadTable> scan_tables(SourceSnapshot& snapshot, const SourceSchema& schema,
                                     const std::vector<std::size_t>& tables, const ScanOptions& options,
                                     std::vector<TableProfile>& profiles, ProgressSink* progress) {
  Scan scan(snapshot, schema, options);
  for (const std::size_t table : tables) scan.plan(table);
  scan.run(progress);
  std::vector<UnreadTable> unread;
  for (const auto& [table, reason] : scan.unread()) unread.push_back({table, reason});
  for (const std::size_t table : tables) {
    if (!scan.unread().contains(table)) profiles[table] = scan.profile(table);
  }
  return unread;
}

}  // namespace nerve::convert
