// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql/postgresql/value.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// A call whose arguments are translated.
struct Call {
  std::string_view name;  ///< in lower case
  std::vector<Value> arguments;
  std::size_t offset = 0;
};

/// A function of one row. Refuses what has no exact equal.
Value call_function(const Call& call, Context& context);

/// date(), time(), datetime(), strftime() and unixepoch(), of 'now', of a literal or of a column whose form
/// is known; nothing for another function.
std::optional<Value> call_time_function(const Call& call, const Context& context);

/// CURRENT_DATE, CURRENT_TIME and CURRENT_TIMESTAMP: the present time by a format of strftime().
Value formatted_now(std::string_view format, const Context& context, std::size_t offset);

struct AggregateCall {
  std::string_view name;  ///< in lower case
  bool is_star = false;
  bool is_distinct = false;
  std::vector<Value> arguments;
  std::string filter;  ///< " FILTER (WHERE …)", or empty
  std::size_t offset = 0;
};

/// Whether a function of this name and number of arguments reads several rows.
bool is_aggregate(std::string_view name, std::size_t argument_count) noexcept;
Value call_aggregate(const AggregateCall& call, Context& context);

}  // namespace nerve::convert::sql
