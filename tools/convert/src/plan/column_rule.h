// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/convert/column_type.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::convert {

/// Where a rule stands in its file; from 1.
struct RulePlace {
  std::size_t line = 0;
  std::size_t column = 0;

  friend auto operator<=>(const RulePlace&, const RulePlace&) = default;
};

/// What is done where the wanted type does not hold every value of a column.
enum class MisfitRule : std::uint8_t {
  widen,  ///< a type is chosen that holds them
  reject,
  null,
  fail,
};

std::string_view to_string(MisfitRule rule) noexcept;
std::optional<MisfitRule> parse_misfit_rule(std::string_view text) noexcept;

/// What somebody ruled for a column; as it is, nothing.
struct ColumnRule {
  std::string name = {};  ///< in the target; empty: as names are made
  std::optional<ColumnType> type = {};
  bool has_time_form = false;  ///< the form of time in `type` is ruled, too; or else the values say it
  MisfitRule on_misfit = MisfitRule::widen;
  RulePlace place = {};  ///< of the type
};

}  // namespace nerve::convert
