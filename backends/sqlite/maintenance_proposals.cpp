// SPDX-License-Identifier: Apache-2.0
#include "sqlite/free_space.h"
#include "sqlite/index_list.h"
#include "sqlite/remedies.h"

#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/maintenance.h"
#include "nerve/backends/sqlite/schema.h"
#include "nerve/core/error.h"
#include "nerve/core/progress.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace nerve::sqlite {

namespace {

/// Whether SQLite cannot analyse a table: an index of it has a collation or a function that only its
/// application has.
bool needs_application(Session& session, const std::string& table) {
  return session.prepare_error("ANALYZE main." + quote_identifier(table)).has_value();
}

/// The planner does well without statistics on tables below this.
constexpr std::int64_t rows_worth_measuring = 100;

class ProposalMaker {
 public:
  ProposalMaker(Session& session, const MaintenanceOptions& options, ProgressSink* progress)
      : session_(session), options_(options), progress_(progress) {}

  std::vector<Proposal> make() {
    if (options_.is_deep) propose_reindex();
    session_.read_snapshot([&] {
      tables_ = list_tables(session_);
      for (const Table& table : tables_) {
        if (table.kind == TableKind::table) indexes_[table.name] = read_indexes(session_, table.name);
      }
      propose_analyze();
      propose_checkpoint();
      propose_vacuum();
      tell_redundant_indexes();
    });
    return std::move(proposals_);
  }

 private:
  void propose_reindex() {
    const Damage damage = integrity_check(session_, progress_);
    if (!damage.is_found()) return;
    if (!damage.is_only_in_indexes()) {
      throw IntegrityError(session_.path().string() + " is damaged: " + damage.describe(),
                           restore_hint(session_.path()));
    }
    for (const std::string& index : damage.indexes) {
      proposals_.push_back({.task = Task::reindex,
                            .reason = "index " + index + " does not hold what its table holds",
                            .value = damage.messages.front(),
                            .statement = "REINDEX " + quote_identifier(index),
                            .gain = "queries find all rows again",
                            .needs_exclusive_lock = true});
    }
  }

  std::map<std::string, std::int64_t> read_measured_rows() {
    std::map<std::string, std::int64_t> measured;
    if (std::ranges::find(tables_, "sqlite_stat1", &Table::name) == tables_.end()) return measured;
    // The first number of `stat` is the count of rows; CAST reads as far as there are digits.
    session_.each("SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl",
                  [&](const Row& row) { measured[std::string(row.text(0))] = row.integer(1); });
    return measured;
  }

  bool has_drifted(std::int64_t rows, std::int64_t measured) const {
    const double drift = std::abs(static_cast<double>(rows - measured));
    return drift * 100.0 >
           options_.row_drift_max_percent * static_cast<double>(std::max<std::int64_t>(measured, 1));
  }

  /// ANALYZE of the whole database ends at the first table that it cannot analyse.
  static std::string analyze_each(const std::vector<std::string>& tables) {
    std::string script;
    for (const std::string& table : tables)
      script += (script.empty() ? "ANALYZE main." : "; ANALYZE main.") + quote_identifier(table);
    return script;
  }

  void propose_analyze() {
    const auto measured = read_measured_rows();
    std::vector<std::string> stale;
    bool is_any_left_out = false;
    std::uint64_t done = 0;
    for (const auto& [table, indexes] : indexes_) {
      if (progress_ != nullptr) progress_->update("counting rows", done++, indexes_.size());
      if (indexes.empty()) continue;
      if (needs_application(session_, table)) {
        is_any_left_out = true;
        continue;
      }
      const std::int64_t rows = session_.integer("SELECT count(*) FROM " + quote_identifier(table));
      const auto found = measured.find(table);
      const std::int64_t known = found == measured.end() ? 0 : found->second;
      if (std::max(rows, known) >= rows_worth_measuring && has_drifted(rows, known)) stale.push_back(table);
    }
    if (stale.empty()) return;
    proposals_.push_back({.task = Task::analyze,
                          .reason = "the planner knows nothing, or nothing recent, of " + list_names(stale),
                          .value = fmt::format("{} of {} tables", stale.size(), indexes_.size()),
                          .statement = is_any_left_out ? analyze_each(stale) : "ANALYZE",
                          .gain = "better plans for queries with several indexes to choose from"});
  }

  void propose_checkpoint() {
    const std::uint64_t wal_bytes = read_file_facts(session_.path()).wal_bytes.value_or(0);
    if (wal_bytes <= options_.wal_bytes_max) return;
    proposals_.push_back({.task = Task::checkpoint,
                          .reason = "the write-ahead log has grown, which slows reading",
                          .value = format_size(wal_bytes),
                          .statement = "PRAGMA wal_checkpoint(TRUNCATE)",
                          .gain = format_size(wal_bytes) + " of disk",
                          .gain_bytes = wal_bytes,
                          .needs_exclusive_lock = true});
  }

  void propose_vacuum() {
    const std::int64_t pages = session_.integer("PRAGMA page_count");
    const std::int64_t free_pages = session_.integer("PRAGMA freelist_count");
    const auto page_size = static_cast<std::uint64_t>(session_.integer("PRAGMA page_size"));
    const std::uint64_t free_bytes = static_cast<std::uint64_t>(free_pages) * page_size;
    const double percent =
        pages == 0 ? 0.0 : 100.0 * static_cast<double>(free_pages) / static_cast<double>(pages);
    if (percent <= options_.free_list_max_percent || free_bytes <= options_.free_list_ignored_bytes) return;
    constexpr std::int64_t incremental = 2;
    const bool is_incremental = session_.integer("PRAGMA auto_vacuum") == incremental;
    Proposal proposal{.task = is_incremental ? Task::incremental_vacuum : Task::vacuum,
                      .reason = format_size(free_bytes) + " of the file hold nothing",
                      .value = fmt::format("{:.1f} % free", percent),
                      .statement = is_incremental ? "PRAGMA incremental_vacuum" : "VACUUM",
                      .gain = format_size(free_bytes) + " of disk",
                      .gain_bytes = free_bytes,
                      .needs_exclusive_lock = true};
    if (!is_incremental) {
      proposal.obstacle = vacuum_obstacle(static_cast<std::uint64_t>(pages) * page_size);
      if (const auto renumbered = tables_to_be_renumbered(); !renumbered.empty()) {
        proposal.reason += "; VACUUM may give new rowids to " + list_names(renumbered);
      }
    }
    proposals_.push_back(std::move(proposal));
  }

  std::string vacuum_obstacle(std::uint64_t size_bytes) {
    const std::uint64_t needed_bytes = 2 * size_bytes;
    const std::uint64_t free_bytes = measure_device(session_.path()).free_bytes;
    if (free_bytes >= needed_bytes) return {};
    return fmt::format("VACUUM needs {} of free disk, {} are free", format_size(needed_bytes),
                       format_size(free_bytes));
  }

  /// Only an INTEGER PRIMARY KEY, or any index, makes VACUUM keep the rowids.
  std::vector<std::string> tables_to_be_renumbered() const {
    std::vector<std::string> names;
    for (const Table& table : tables_) {
      if (table.kind != TableKind::table || table.is_without_rowid || table.name.starts_with("sqlite_"))
        continue;
      const bool has_key =
          std::ranges::any_of(table.columns, [](const Column& c) { return c.primary_key_position > 0; });
      if (!has_key && indexes_.at(table.name).empty()) names.push_back(table.name);
    }
    return names;
  }

  void tell_redundant_indexes() {
    for (const auto& [table, indexes] : indexes_) {
      for (const Index& index : indexes) {
        if (!index.is_made_by_user) continue;
        const auto other = std::ranges::find_if(
            indexes, [&](const Index& candidate) { return is_covered(index, candidate); });
        if (other == indexes.end()) continue;
        proposals_.push_back({.task = Task::redundant_index,
                              .reason = fmt::format("every search by index {} of table {} can use index {}",
                                                    index.name, table, other->name),
                              .value = {},
                              .statement = "DROP INDEX " + quote_identifier(index.name),
                              .gain = "less to write and to keep",
                              .obstacle = "advice only: whether an index may go is for its owner to say"});
      }
    }
  }

  Session& session_;
  MaintenanceOptions options_;
  ProgressSink* progress_;
  std::vector<Table> tables_;
  std::map<std::string, std::vector<Index>> indexes_;  ///< by table, ordinary tables only
  std::vector<Proposal> proposals_;
};

}  // namespace

std::vector<std::string> tables_not_analysed(Session& session) {
  std::vector<std::string> names;
  for (const Table& table : list_tables(session)) {
    if (table.kind == TableKind::table && needs_application(session, table.name)) names.push_back(table.name);
  }
  return names;
}

std::vector<Proposal> propose(Session& session, const MaintenanceOptions& options, ProgressSink* progress) {
  return ProposalMaker(session, options, progress).make();
}

}  // namespace nerve::sqlite
