// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/postgresql/statistics.h"

#include "nerve/db/transaction.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace nerve::postgresql {

namespace {

/// A catalogue can be endless, what a person reads is not.
constexpr std::int64_t tables_max = 10'000;
constexpr std::int64_t indexes_max = 100'000;

std::uint64_t total_bytes(const TableStatistics& table) {
  return table.size_bytes + table.indexes_bytes();
}

void read_database(db::Transaction& transaction, Statistics& statistics) {
  const auto [version, size_bytes, encoding] = transaction.one<std::string, std::uint64_t, std::string>(
      "SELECT current_setting('server_version'), pg_database_size(current_database()),"
      " current_setting('server_encoding')");
  statistics.version = version;
  statistics.size_bytes = size_bytes;
  statistics.encoding = encoding;
  const auto [views, triggers] = transaction.one<std::int64_t, std::int64_t>(
      "SELECT (SELECT count(*) FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema')),"
      " (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal)");
  statistics.view_count = views;
  statistics.trigger_count = triggers;
}

/// reltuples is -1 until the table was vacuumed or analysed for the first time.
void read_tables(db::Transaction& transaction, Statistics& statistics) {
  transaction.each<std::string, std::string, std::optional<std::int64_t>, std::uint64_t>(
      "SELECT n.nspname || '.' || c.relname,"
      " CASE c.relkind WHEN 'm' THEN 'materialized_view' WHEN 'p' THEN 'partitioned' ELSE 'table' END,"
      " CASE WHEN c.reltuples < 0 THEN NULL ELSE CAST(c.reltuples AS bigint) END,"
      " pg_table_size(c.oid)"
      " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
      " WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
      " AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'"
      " ORDER BY 1 LIMIT :tables_max",
      {{"tables_max", tables_max}},
      [&](std::string name, std::string kind, std::optional<std::int64_t> rows, std::uint64_t size_bytes) {
        statistics.tables.push_back({std::move(name), std::move(kind), rows, size_bytes, {}});
      });
}

void read_indexes(db::Transaction& transaction, Statistics& statistics) {
  std::map<std::string, std::vector<IndexStatistics>> indexes;
  transaction.each<std::string, std::string, std::uint64_t>(
      "SELECT n.nspname || '.' || t.relname, c.relname, pg_relation_size(c.oid)"
      " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = "
      "i.indrelid"
      " JOIN pg_namespace AS n ON n.oid = t.relnamespace"
      " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'"
      " ORDER BY 3 DESC, 2 LIMIT :indexes_max",
      {{"indexes_max", indexes_max}},
      [&](const std::string& table, std::string name, std::uint64_t size_bytes) {
        indexes[table].push_back({std::move(name), size_bytes});
      });
  for (TableStatistics& table : statistics.tables) {
    const auto found = indexes.find(table.name);
    if (found != indexes.end()) table.indexes = std::move(found->second);
  }
}

Json table_json(const TableStatistics& table) {
  Json indexes = Json::array();
  for (const IndexStatistics& index : table.indexes) {
    indexes.push_back({{"name", index.name}, {"size_bytes", index.size_bytes}});
  }
  const std::optional<double> average = table.average_row_bytes();
  return {{"name", table.name},
          {"kind", table.kind},
          {"rows", table.rows ? Json(*table.rows) : Json()},
          {"size_bytes", table.size_bytes},
          {"average_row_bytes", average ? Json(*average) : Json()},
          {"indexes_bytes", table.indexes_bytes()},
          {"indexes", std::move(indexes)}};
}

}  // namespace

std::optional<double> TableStatistics::average_row_bytes() const noexcept {
  if (!rows || *rows == 0) return std::nullopt;
  return static_cast<double>(size_bytes) / static_cast<double>(*rows);
}

std::uint64_t TableStatistics::indexes_bytes() const noexcept {
  return std::accumulate(
      indexes.begin(), indexes.end(), std::uint64_t{0},
      [](std::uint64_t sum, const IndexStatistics& index) { return sum + index.size_bytes; });
}

std::int64_t Statistics::rows() const noexcept {
  return std::accumulate(
      tables.begin(), tables.end(), std::int64_t{0},
      [](std::int64_t sum, const TableStatistics& table) { return sum + table.rows.value_or(0); });
}

Json Statistics::to_json() const {
  Json list = Json::array();
  for (const TableStatistics& table : tables) list.push_back(table_json(table));
  return {{"database", database},           {"version", version},       {"size_bytes", size_bytes},
          {"encoding", encoding},           {"rows", rows()},           {"view_count", view_count},
          {"trigger_count", trigger_count}, {"tables", std::move(list)}};
}

Statistics collect_statistics(db::Database& database) {
  Statistics statistics = database.read_catalogue([](db::Transaction& transaction) {
    Statistics found;
    read_database(transaction, found);
    read_tables(transaction, found);
    read_indexes(transaction, found);
    return found;
  });
  statistics.database = database.name();
  std::stable_sort(
      statistics.tables.begin(), statistics.tables.end(),
      [](const auto& left, const auto& right) { return total_bytes(left) > total_bytes(right); });
  return statistics;
}

}  // namespace nerve::postgresql
