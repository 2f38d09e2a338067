// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/output.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace nerve {

inline constexpr std::string_view column_gap = "  ";

/// Makes all texts safe for a terminal, and each row as long as there are columns.
void sanitize(Table& table);

/// How wide each column is when nothing is shortened. The table must be sanitised.
std::vector<std::size_t> natural_widths(const Table& table);

/// Takes from the widest left-aligned column, one by one, until all columns with their gaps fit into
/// `width_max` or none can give more. Right-aligned columns hold numbers, which mean something else when they
/// are cut.
void fit_widths(const std::vector<Column>& columns, std::size_t width_max, std::vector<std::size_t>& widths);

}  // namespace nerve
