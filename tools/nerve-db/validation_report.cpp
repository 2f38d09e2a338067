// SPDX-License-Identifier: Apache-2.0
#include "validation_report.h"

#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace nerve::cli {

ValidationReport::ValidationReport(Output& output, std::string_view noun) : output_(output), noun_(noun) {
  if (output.wants_json()) list_.emplace(output, "results");
}

bool ValidationReport::add(std::string_view where, Json result, const std::vector<Violation>& violations) {
  const bool is_valid = violations.empty();
  ++checked_;
  if (!is_valid) ++invalid_;
  if (list_) {
    result["valid"] = is_valid;
    result["violations"] = to_json(violations);
    list_->add(result);
    return false;
  }
  for (const Violation& violation : violations) output_.violation(where, violation);
  return is_valid;
}

void ValidationReport::finish() {
  if (list_) list_->finish({{"checked", checked_}, {"invalid", invalid_}});
  if (invalid_ == 0) return;
  throw ValidationError(
      fmt::format("not valid: {} of {} {}", format_count(invalid_), format_count(checked_), noun_),
      "Correct what is named for each of them.");
}

}  // namespace nerve::cli
