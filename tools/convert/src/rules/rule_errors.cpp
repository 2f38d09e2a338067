// SPDX-License-Identifier: Apache-2.0
#include "rules/rule_errors.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"

#include <fmt/format.h>

#include <vector>

namespace nerve::convert {

std::string in_quotes(std::string_view text) {
  return "'" + sanitize_for_terminal(text) + "'";
}

void RuleErrors::require_none() const {
  if (errors_.empty()) return;
  std::vector<Violation> violations;
  for (const auto& [place, message] : errors_) {
    if (violations.size() == told_max) break;
    violations.push_back(
        {fmt::format("{}:{}:{}", file_.string(), place.line, place.column), "rule", message});
  }
  std::string count = errors_.size() == 1 ? "an error" : fmt::format("{} errors", errors_.size());
  if (errors_.size() > told_max) count += fmt::format(", of which the first {} are", told_max);
  throw ValidationError(
      fmt::format("the rules file {} has {}", file_.string(), count),
      "Correct the file; 'nerve-db convert --write-rules FILE SOURCE' writes one that fits.",
      std::move(violations));
}

}  // namespace nerve::convert
