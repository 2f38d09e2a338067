// SPDX-License-Identifier: Apache-2.0
// nerve-db stats
#include "command.h"
#include "context.h"

#include "nerve/backends/postgresql/statistics.h"
#include "nerve/backends/sqlite/statistics.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <optional>

namespace nerve::cli {

namespace {

/// What either engine says of a table.
struct TableLine {
  std::string name;
  std::string kind;
  std::optional<std::int64_t> rows;
  std::optional<std::uint64_t> size_bytes;
  std::optional<double> average_row_bytes;
  std::size_t index_count = 0;
  std::optional<std::uint64_t> indexes_bytes;
};

std::string size_text(std::optional<std::uint64_t> size_bytes) {
  return size_bytes ? format_size(*size_bytes) : "unknown";
}

void show_tables(Output& output, const std::vector<TableLine>& tables) {
  if (tables.empty()) {
    output.line("the database is empty: it has no tables", Style::warning);
    return;
  }
  constexpr auto right = Column::Align::right;
  Table shown{.columns = {{"TABLE"},
                          {"KIND"},
                          {"ROWS", right},
                          {"SIZE", right},
                          {"PER ROW", right},
                          {"INDEXES", right},
                          {"INDEX SIZE", right}},
              .rows = {}};
  for (const TableLine& table : tables) {
    shown.rows.push_back(
        {table.name, table.kind, table.rows ? format_count(*table.rows) : "unknown",
         size_text(table.size_bytes),
         table.average_row_bytes
             ? format_size(static_cast<std::uint64_t>(std::llround(*table.average_row_bytes)))
             : "",
         std::to_string(table.index_count), table.index_count == 0 ? "" : size_text(table.indexes_bytes)});
  }
  output.table(shown);
}

void show(Output& output, const sqlite::Statistics& statistics) {
  const std::uint64_t free_bytes =
      static_cast<std::uint64_t>(statistics.free_page_count) * statistics.page_size_bytes;
  output.key_values({{"database", statistics.path},
                     {"size", format_size(statistics.size_bytes)},
                     {"pages", fmt::format("{} of {}", format_count(statistics.page_count),
                                           format_size(statistics.page_size_bytes))},
                     {"free", format_size(free_bytes)},
                     {"write-ahead log", format_size(statistics.wal_bytes)},
                     {"journal mode", statistics.journal_mode},
                     {"encoding", statistics.encoding},
                     {"rows", format_count(statistics.rows())},
                     {"views", format_count(statistics.view_count)},
                     {"triggers", format_count(statistics.trigger_count)}});
  output.line("");
  std::vector<TableLine> tables;
  for (const sqlite::TableStatistics& table : statistics.tables) {
    tables.push_back({table.name, std::string(sqlite::to_string(table.kind)), table.rows, table.size_bytes,
                      table.average_row_bytes(), table.indexes.size(), table.indexes_bytes()});
  }
  show_tables(output, tables);
}

void show(Output& output, const postgresql::Statistics& statistics) {
  output.key_values({{"database", statistics.database},
                     {"server", "PostgreSQL " + statistics.version},
                     {"size", format_size(statistics.size_bytes)},
                     {"encoding", statistics.encoding},
                     {"rows (estimate)", format_count(statistics.rows())},
                     {"views", format_count(statistics.view_count)},
                     {"triggers", format_count(statistics.trigger_count)}});
  output.line("");
  std::vector<TableLine> tables;
  for (const postgresql::TableStatistics& table : statistics.tables) {
    tables.push_back({table.name, table.kind, table.rows, table.size_bytes, table.average_row_bytes(),
                      table.indexes.size(), table.indexes_bytes()});
  }
  show_tables(output, tables);
}

sqlite::Statistics collect_from_file(Context& context, const std::string& file) {
  Output& output = context.output();
  Progress progress(output.talk(), output.progress(Progress::Unit::items));
  sqlite::Session session(
      file, {.busy_timeout_ms = static_cast<int>(context.config().integer("database.busy_timeout_ms"))});
  sqlite::Statistics statistics = sqlite::collect_statistics(session, &progress);
  session.require_unchanged();
  return statistics;
}

postgresql::Statistics collect_from_server(Context& context, const std::string& url) {
  const auto database = context.open_for_reading(url);
  postgresql::Statistics statistics = postgresql::collect_statistics(*database);
  context.keep_query_log(*database);
  return statistics;
}

template <class Statistics>
void write(Output& output, const Statistics& statistics) {
  if (output.wants_json()) {
    output.json(statistics.to_json());
  } else {
    show(output, statistics);
  }
}

int run_stats(Context& context, const Arguments&) {
  const DatabaseUrl url = context.database();
  if (url.engine == db::Dialect::sqlite) {
    write(context.output(), collect_from_file(context, url.location));
  } else {
    write(context.output(), collect_from_server(context, url.location));
  }
  return 0;
}

}  // namespace

Command stats_command() {
  return {.name = "stats",
          .summary = "show what a database holds and where its bytes are",
          .description =
              "Tables with rows, sizes and indexes, the largest first. Works on PostgreSQL too, where\n"
              "numbers of rows are the server's estimates.",
          .options = {database_option()},
          .example = "nerve-db stats --db chinook.sqlite",
          .run = &run_stats};
}

}  // namespace nerve::cli
