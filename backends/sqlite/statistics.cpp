// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/statistics.h"

#include "sqlite/dbstat.h"

#include "nerve/backends/sqlite/stand_ins.h"
#include "nerve/core/progress.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <numeric>

namespace nerve::sqlite {

namespace {

struct TreeSize {
  std::uint64_t size_bytes = 0;
  std::uint64_t payload_bytes = 0;
};

/// The size of each b-tree by name; nothing where SQLite is built without dbstat.
std::optional<std::map<std::string, TreeSize>> measure_trees(Session& session) {
  if (!has_dbstat(session)) return std::nullopt;
  std::map<std::string, TreeSize> sizes;
  each_in_dbstat(session, "SELECT name, pgsize, payload FROM dbstat WHERE aggregate = TRUE",
                 [&](const Row& row) {
                   sizes[std::string(row.text(0))] = {static_cast<std::uint64_t>(row.integer(1)),
                                                      static_cast<std::uint64_t>(row.integer(2))};
                 });
  return sizes;
}

std::uint64_t total_bytes(const TableStatistics& table) noexcept {
  return table.size_bytes.value_or(0) + table.indexes_bytes().value_or(0);
}

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json table_to_json(const TableStatistics& table) {
  Json indexes = Json::array();
  for (const IndexStatistics& index : table.indexes) {
    indexes.push_back({{"name", index.name}, {"size_bytes", or_null(index.size_bytes)}});
  }
  return {{"name", table.name},
          {"kind", to_string(table.kind)},
          {"rows", table.rows},
          {"size_bytes", or_null(table.size_bytes)},
          {"payload_bytes", or_null(table.payload_bytes)},
          {"average_row_bytes", or_null(table.average_row_bytes())},
          {"indexes_bytes", or_null(table.indexes_bytes())},
          {"indexes", std::move(indexes)}};
}

class StatisticsReader {
 public:
  StatisticsReader(Session& session, ProgressSink* progress) : session_(session), progress_(progress) {}

  Statistics read() {
    Statistics statistics;
    session_.read_snapshot([&] {
      read_file(statistics);
      read_tables(statistics);
    });
    return statistics;
  }

 private:
  void read_file(Statistics& statistics) {
    statistics.path = session_.path().string();
    statistics.page_size_bytes = static_cast<std::uint32_t>(session_.integer("PRAGMA page_size"));
    statistics.page_count = session_.integer("PRAGMA page_count");
    statistics.free_page_count = session_.integer("PRAGMA freelist_count");
    statistics.size_bytes = static_cast<std::uint64_t>(statistics.page_count) * statistics.page_size_bytes;
    statistics.wal_bytes = session_.facts().wal_bytes.value_or(0);
    statistics.journal_mode = session_.text("PRAGMA journal_mode");
    statistics.encoding = session_.text("PRAGMA encoding");
    statistics.trigger_count = session_.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'");
  }

  void read_tables(Statistics& statistics) {
    const auto tables = list_tables(session_);
    statistics.view_count = std::ranges::count(tables, TableKind::view, &Table::kind);
    if (progress_ != nullptr) progress_->update("measuring pages", 0, 0);
    const auto sizes = measure_trees(session_);
    const auto indexes = read_indexes(sizes);
    std::uint64_t done = 0;
    for (const Table& table : tables) {
      if (!table.has_rows()) continue;
      if (progress_ != nullptr) progress_->update("counting rows", done++, tables.size());
      statistics.tables.push_back(read_table(table, sizes, indexes));
    }
    std::ranges::stable_sort(statistics.tables, std::ranges::greater{}, total_bytes);
  }

  using Sizes = std::optional<std::map<std::string, TreeSize>>;
  using Indexes = std::map<std::string, std::vector<IndexStatistics>>;

  static std::optional<std::uint64_t> size_in(const Sizes& sizes, const std::string& name) {
    if (!sizes) return std::nullopt;
    const auto found = sizes->find(name);
    return found == sizes->end() ? std::nullopt : std::optional(found->second.size_bytes);
  }

  /// Those that have a b-tree of their own: the key of a table without rowid is the table.
  Indexes read_indexes(const Sizes& sizes) {
    Indexes indexes;
    session_.each(
        "SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index' ORDER BY name COLLATE BINARY",
        [&](const Row& row) {
          const std::string name(row.text(1));
          indexes[std::string(row.text(0))].push_back({name, size_in(sizes, name)});
        });
    return indexes;
  }

  TableStatistics read_table(const Table& table, const Sizes& sizes, const Indexes& indexes) {
    TableStatistics statistics;
    statistics.name = table.name;
    statistics.kind = table.kind;
    // A table whose key has a collation of its application can be counted: that is no question of order.
    stand_ins_.run(
        [&] { statistics.rows = session_.integer("SELECT count(*) FROM " + quote_identifier(table.name)); });
    statistics.size_bytes = size_in(sizes, table.name);
    if (statistics.size_bytes) statistics.payload_bytes = sizes->at(table.name).payload_bytes;
    if (const auto found = indexes.find(table.name); found != indexes.end()) {
      statistics.indexes = found->second;
      std::ranges::stable_sort(statistics.indexes, std::ranges::greater{}, &IndexStatistics::size_bytes);
    }
    return statistics;
  }

  Session& session_;
  ProgressSink* progress_;
  StandIns stand_ins_{session_};
};

}  // namespace

std::optional<double> TableStatistics::average_row_bytes() const noexcept {
  if (!payload_bytes || rows == 0) return std::nullopt;
  return static_cast<double>(*payload_bytes) / static_cast<double>(rows);
}

std::optional<std::uint64_t> TableStatistics::indexes_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const IndexStatistics& index : indexes) {
    if (!index.size_bytes) return std::nullopt;
    sum += *index.size_bytes;
  }
  return sum;
}

std::int64_t Statistics::rows() const noexcept {
  return std::accumulate(tables.begin(), tables.end(), std::int64_t{0},
                         [](std::int64_t sum, const TableStatistics& table) { return sum + table.rows; });
}

Json Statistics::to_json() const {
  Json list = Json::array();
  for (const TableStatistics& table : tables) list.push_back(table_to_json(table));
  return {{"path", path},
          {"size_bytes", size_bytes},
          {"page_size_bytes", page_size_bytes},
          {"page_count", page_count},
          {"free_page_count", free_page_count},
          {"wal_bytes", wal_bytes},
          {"journal_mode", journal_mode},
          {"encoding", encoding},
          {"rows", rows()},
          {"view_count", view_count},
          {"trigger_count", trigger_count},
          {"tables", std::move(list)}};
}

Statistics collect_statistics(Session& session, ProgressSink* progress) {
  return StatisticsReader(session, progress).read();
}

}  // namespace nerve::sqlite
