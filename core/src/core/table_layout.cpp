// SPDX-License-Identifier: Apache-2.0
#include "table_layout.h"

#include "nerve/core/text.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace nerve {

namespace {

std::optional<std::size_t> widest_that_can_give(const std::vector<Column>& columns,
                                                const std::vector<std::size_t>& widths) {
  std::optional<std::size_t> widest;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool can_give = columns[i].align == Column::Align::left && widths[i] > columns[i].width_min;
    if (can_give && (!widest || widths[i] > widths[*widest])) widest = i;
  }
  return widest;
}

}  // namespace

void sanitize(Table& table) {
  for (Column& column : table.columns) column.title = sanitize_for_terminal(column.title);
  for (auto& row : table.rows) {
    row.resize(table.columns.size(), TableCell(""));
    for (TableCell& cell : row) cell.text = sanitize_for_terminal(cell.text);
  }
}

std::vector<std::size_t> natural_widths(const Table& table) {
  std::vector<std::size_t> widths;
  for (const Column& column : table.columns) widths.push_back(display_width(column.title));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  return widths;
}

void fit_widths(const std::vector<Column>& columns, std::size_t width_max, std::vector<std::size_t>& widths) {
  if (columns.empty()) return;
  const std::size_t gaps = (columns.size() - 1) * column_gap.size();
  std::size_t total = std::accumulate(widths.begin(), widths.end(), gaps);
  for (; total > width_max; --total) {
    const auto widest = widest_that_can_give(columns, widths);
    if (!widest) return;
    --widths[*widest];
  }
}

}  // namespace nerve
