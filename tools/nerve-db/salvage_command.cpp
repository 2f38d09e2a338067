// SPDX-License-Identifier: Apache-2.0
// nerve-db salvage
#include "command.h"
#include "context.h"
#include "row_count.h"

#include "nerve/backups/salvage.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace nerve::cli {

namespace {

using backups::PageList;
using backups::SalvagedTable;
using backups::SalvageReport;

constexpr std::string_view salvage_instead_for_postgresql =
    "PostgreSQL has pg_amcheck to find damage; its way back is a backup of the cluster.";
constexpr std::size_t named_pages_max = 8;

/// "3 of them: pages 7, 12, 40".
std::string listed(const PageList& pages) {
  std::vector<std::string> numbers;
  for (const std::uint32_t page : pages.first) {
    if (numbers.size() < named_pages_max) numbers.push_back(std::to_string(page));
  }
  std::string text;
  for (const std::string& number : numbers) text += (text.empty() ? "" : ", ") + number;
  return pages.total > numbers.size() ? fmt::format("{} and {} more", text, pages.total - numbers.size())
                                      : text;
}

std::string note_of(const SalvagedTable& table, const std::string& lost_and_found) {
  std::vector<std::string> notes;
  if (table.lost_pages.total > 0) notes.push_back(fmt::format("lost pages: {}", listed(table.lost_pages)));
  if (table.damaged_pages.total > 0) {
    notes.push_back(fmt::format("read in part: {}", listed(table.damaged_pages)));
  }
  if (table.lost_and_found > 0) {
    notes.push_back(
        fmt::format("{} in {}", row_count(static_cast<std::int64_t>(table.lost_and_found)), lost_and_found));
  }
  if (table.placed_rows > 0) {
    notes.push_back(fmt::format("{} from pages that nothing led to", row_count(table.placed_rows)));
  }
  std::string text;
  for (const std::string& note : notes) text += (text.empty() ? "" : "; ") + note;
  return text;
}

std::string count_of(std::uint64_t count) {
  return format_count(static_cast<std::int64_t>(count));
}

void show_tables(Output& output, const SalvageReport& report) {
  Table table{.columns = {{"TABLE"},
                          {"ROWS", Column::Align::right},
                          {"LOST PAGES", Column::Align::right},
                          {"BROKEN CELLS", Column::Align::right},
                          {"NOTE"}},
              .rows = {}};
  for (const SalvagedTable& salvaged : report.tables) {
    const Style style = salvaged.is_whole() ? Style::plain : Style::warning;
    table.rows.push_back({{salvaged.name, style},
                          format_count(salvaged.rows),
                          count_of(salvaged.lost_pages.total),
                          count_of(salvaged.broken_cells),
                          note_of(salvaged, report.lost_and_found)});
  }
  if (!table.rows.empty()) output.table(table);
}

void show(Output& output, const SalvageReport& report) {
  show_tables(output, report);
  for (const auto& [reason, rows] : report.rows_by_reason) {
    output.line(fmt::format("{}: {} ({})", report.lost_and_found, row_count(static_cast<std::int64_t>(rows)),
                            reason));
  }
  for (const backups::LostObject& object : report.lost_objects) {
    output.line(fmt::format("not made: {} {} ({})", object.type, object.name, object.problem),
                Style::warning);
  }
  for (const std::string& one : report.damaged_virtual_tables)
    output.line("damaged behind a virtual table: " + one, Style::warning);
  for (const std::string& note : report.notes) output.note("note: " + note);
  const std::string summary = fmt::format("wrote {} with {} of {} tables", report.target.string(),
                                          row_count(report.rows_total()), report.tables.size());
  output.line(summary, report.is_complete() ? Style::good : Style::warning);
}

/// Everything was read, and the new database is not all that it should be.
[[noreturn]] void throw_of_made(const SalvageReport& report) {
  const std::string source = report.source.string();
  if (!report.damaged_virtual_tables.empty()) {
    throw Error(ErrorKind::partial,
                fmt::format("all of {} was read, and what is kept behind virtual tables is damaged: {}",
                            source, list_names(report.damaged_virtual_tables)),
                "Make the index anew as its module has it: INSERT INTO t(t) VALUES ('rebuild') for full-text "
                "search whose content is sound; an R-tree from the rows it was filled from.");
  }
  std::vector<std::string> names;
  for (const backups::LostObject& object : report.lost_objects)
    names.push_back(object.type + " " + object.name);
  if (names.empty()) {
    throw Error(ErrorKind::partial,
                fmt::format("all of {} was read, and {} rows could not be put where they were", source,
                            report.lost_and_found_rows()),
                fmt::format("They are in {}, each with the reason.", report.lost_and_found));
  }
  throw Error(
      ErrorKind::partial,
      fmt::format("all of {} was read, and these could not be made: {}", source, list_names(names)),
      "They need what only their application has. Where a backup is whole, restore that; rows of a table "
      "that could not be made are in lost_and_found.");
}

void require_complete(const SalvageReport& report) {
  if (report.is_complete()) return;
  const std::string source = report.source.string();
  if (!report.is_schema_whole && report.tables.empty()) {
    throw Error(
        ErrorKind::partial,
        fmt::format("the schema of {} could not be read, so its rows are in {} without the names of their "
                    "tables and columns",
                    source, report.lost_and_found),
        "Name a sound database with the same schema, such as a restored backup, by --schema-from.");
  }
  if (report.is_all_read()) throw_of_made(report);
  throw Error(ErrorKind::partial, fmt::format("not all of {} could be read", source),
              "The report says what was lost; compare with a backup, and look into lost_and_found where "
              "there is one.");
}

int run_salvage(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  const auto target = arguments.text("--to");
  if (!target) {
    throw ValidationError("--to is missing", "Name the new database that is to be written: --to FILE.");
  }
  backups::SalvageOptions options;
  options.deleted = arguments.has("--deleted");
  if (const auto schema = arguments.text("--schema-from")) options.schema_from = *schema;
  const std::filesystem::path source = context.database_file(salvage_instead_for_postgresql);
  Progress progress(output.talk(), output.progress(Progress::Unit::items));
  const SalvageReport report = backups::salvage_database(source, *target, options, &progress);
  progress.clear();
  if (output.wants_json()) {
    output.json(report.to_json());
  } else {
    show(output, report);
  }
  require_complete(report);
  return 0;
}

}  // namespace

Command salvage_command() {
  return {
      .name = "salvage",
      .summary = "write what can be read of a damaged database to a new one",
      .description =
          "Reads the pages of the damaged file itself, with what its -wal and -journal hold, and\n"
          "never changes it. Rows that fit no table go to the table lost_and_found. The report says\n"
          "for each table what was lost; a backup is better where there is one.",
      .options = {database_option(),
                  {.name = "--to",
                   .value_name = "FILE",
                   .type = ArgumentType::file,
                   .description = "the new database; nothing may stand there"},
                  {.name = "--schema-from",
                   .value_name = "FILE",
                   .type = ArgumentType::file,
                   .description = "a sound database that has the schema, for what is lost of it"},
                  {.name = "--deleted",
                   .description = "also bring back deleted rows that free pages hold, to lost_and_found"}},
      .exit_codes =
          "10 when something was lost, 6 when nothing could be read; otherwise as\n"
          "'nerve-db --help' lists them",
      .example = "nerve-db salvage --db chinook.sqlite --to salvaged.sqlite",
      .run = &run_salvage};
}

}  // namespace nerve::cli
