// SPDX-License-Identifier: Apache-2.0
#include "convert_text.h"

#include "row_count.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

namespace nerve::cli {
namespace {

using convert::ColumnPlan;
using convert::ConvertReport;
using convert::Plan;
using convert::Step;
using convert::TablePlan;
using convert::TableReport;
using convert::Untranslated;

void show_untranslated(Output& output, const std::vector<Untranslated>& objects) {
  for (const Untranslated& object : objects) {
    const std::string place =
        object.table.empty() || object.table == object.name ? "" : " of " + object.table;
    output.line(fmt::format("no equal: {} {}{}: {}", object.kind, object.name, place, object.reason),
                Style::warning);
    if (!object.text.empty()) output.line("    " + object.text);
  }
}

void show_steps(Output& output, const std::vector<Step>& steps) {
  for (const Step& step : steps) output.line(fmt::format("  {}", step.sql));
}

void show_columns(Output& output, const TablePlan& table) {
  Table columns{.columns = {{"  COLUMN"}, {"DECLARED"}, {"TARGET"}, {"TYPE"}, {"WHY"}}, .rows = {}};
  for (const ColumnPlan& column : table.columns) {
    const Style style = column.misfits + column.changed > 0 ? Style::warning : Style::plain;
    columns.rows.push_back({"  " + column.source,
                            column.declared,
                            column.target,
                            {convert::to_ddl(column.type), style},
                            column.why});
  }
  output.table(columns);
}

std::string forecast(const TablePlan& table) {
  const std::int64_t misfits = table.misfits();
  return misfits == 0 ? "" : fmt::format(", {} values cannot be stored", format_count(misfits));
}

void show_differences(Output& output, const std::vector<TableReport>& tables) {
  for (const TableReport& table : tables) {
    for (const convert::RowDifference& difference : table.differences) {
      output.line(fmt::format("{}: only in the {}{}: {}", table.source, difference.side,
                              difference.count == 1 ? "" : fmt::format(", {} times", difference.count),
                              difference.row),
                  Style::bad);
    }
  }
}

void show_tables(Output& output, const std::vector<TableReport>& tables) {
  Table shown{.columns = {{"TABLE"},
                          {"ROWS", Column::Align::right},
                          {"STORED", Column::Align::right},
                          {"REJECTED", Column::Align::right},
                          {"NULLED", Column::Align::right},
                          {"CHANGED", Column::Align::right},
                          {"COMPARED"}},
              .rows = {}};
  for (const TableReport& table : tables) {
    const Style style = table.is_equal ? Style::good : Style::bad;
    shown.rows.push_back({table.source,
                          format_count(table.rows),
                          format_count(table.stored),
                          format_count(table.rejected),
                          format_count(table.nulled),
                          format_count(table.changed),
                          {table.is_equal ? "equal" : "differs", style}});
  }
  if (!shown.rows.empty()) output.table(shown);
  show_differences(output, tables);
}

void show_check(Output& output, const convert::SourceCheck& check) {
  if (!check.is_done) output.line("the source was not checked", Style::warning);
  for (const std::string& table : check.unchecked)
    output.line("not checked in full: table " + table, Style::warning);
}

}  // namespace

void show(Output& output, const convert::PlannedConversion& planned) {
  const Plan& plan = planned.plan;
  for (const TablePlan& table : plan.tables) {
    output.line(fmt::format("{} -> {}.{}: {}, about {}{}", table.source, plan.schema, table.target,
                            row_count(table.rows), format_size(static_cast<std::uint64_t>(table.bytes)),
                            forecast(table)),
                Style::strong);
    show_columns(output, table);
    show_steps(output, table.after_load);
    output.line("");
  }
  if (!plan.at_end.empty()) {
    output.line("at the end:", Style::strong);
    show_steps(output, plan.at_end);
  }
  show_untranslated(output, plan.untranslated);
  for (const convert::Orphans& orphans : planned.forecast.orphans) {
    const std::string first =
        orphans.first_rowid ? fmt::format(", such as that of rowid {}", *orphans.first_rowid) : "";
    output.line(
        fmt::format("orphans: {} of {} name no row of {} by {}{}; the foreign key will hold for rows to come",
                    row_count(orphans.rows), orphans.table, orphans.parent, fmt::join(orphans.columns, ", "),
                    first),
        Style::warning);
  }
  show_check(output, planned.check);
  for (const std::string& note : plan.notes) output.note("note: " + note);
  if (planned.forecast.duration < std::chrono::seconds(1)) return;
  output.note(fmt::format("to be expected: about {}, if the server is as fast as this machine",
                          format_duration(planned.forecast.duration)));
}

void show(Output& output, const ConvertReport& report, std::chrono::nanoseconds duration) {
  if (report.is_resumed) output.note("going on with a conversion that was interrupted");
  show_tables(output, report.tables);
  show_untranslated(output, report.plan.untranslated);
  show_untranslated(output, report.refused);
  show_check(output, report.check);
  for (const std::string& note : report.plan.notes) output.note("note: " + note);
  if (report.is_rolled_back) {
    output.line("nothing was kept: the target is as it was", Style::bad);
    return;
  }
  std::int64_t rows = 0;
  for (const TableReport& table : report.tables) rows += table.stored;
  output.line(fmt::format("{} {} of {} tables in {}; every row was compared",
                          report.plan.appends ? "appended" : "converted", row_count(rows),
                          report.tables.size(), format_duration(duration)),
              report.is_complete() ? Style::good : Style::warning);
}

void show(Output& output, const std::vector<TableReport>& tables) {
  Table shown{.columns = {{"TABLE"},
                          {"ROWS", Column::Align::right},
                          {"NOT STORABLE", Column::Align::right},
                          {"IN THE TARGET", Column::Align::right},
                          {"COMPARED"}},
              .rows = {}};
  for (const TableReport& table : tables) {
    shown.rows.push_back({table.source,
                          format_count(table.rows),
                          format_count(table.rejected),
                          format_count(table.target_rows),
                          {table.is_equal ? "equal" : "differs", table.is_equal ? Style::good : Style::bad}});
  }
  if (!shown.rows.empty()) output.table(shown);
  show_differences(output, tables);
}

}  // namespace nerve::cli
