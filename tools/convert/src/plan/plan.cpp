// SPDX-License-Identifier: Apache-2.0
#include "nerve/convert/plan.h"

namespace nerve::convert {

std::string_view to_string(OnMisfit policy) noexcept {
  switch (policy) {
    case OnMisfit::reject:
      return "reject";
    case OnMisfit::null:
      return "null";
    case OnMisfit::fail:
      return "fail";
  }
  return "";
}

std::string Step::name() const {
  std::string name = object.kind + " " + object.name;
  if (!object.table.empty() && object.table != object.name) name += " of " + object.table;
  return name;
}

std::int64_t TablePlan::misfits() const noexcept {
  std::int64_t count = 0;
  for (const ColumnPlan& column : columns) count += column.misfits;
  return count;
}

}  // namespace nerve::convert
