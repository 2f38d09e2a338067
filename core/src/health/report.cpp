// SPDX-License-Identifier: Apache-2.0
#include "nerve/health/report.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace nerve::health {

std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::unknown:
      return "unknown";
    case Status::warning:
      return "warning";
    case Status::critical:
      return "critical";
  }
  return "unknown";
}

Status Report::status() const noexcept {
  if (checks.empty()) return Status::unknown;
  return std::max_element(checks.begin(), checks.end(),
                          [](const Check& a, const Check& b) { return a.status < b.status; })
      ->status;
}

Json Report::to_json() const {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back({{"id", check.id},
                    {"status", to_string(check.status)},
                    {"value", check.value},
                    {"threshold", check.threshold},
                    {"message", check.message},
                    {"fix", check.fix}});
  }
  return {{"status", to_string(status())}, {"target", target}, {"checks", std::move(list)}};
}

int Report::exit_code() const noexcept {
  switch (status()) {
    case Status::ok:
      return 0;
    case Status::warning:
      return 1;
    case Status::critical:
      return 2;
    case Status::unknown:
      return 3;
  }
  return 3;
}

}  // namespace nerve::health
