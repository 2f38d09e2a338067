// SPDX-License-Identifier: Apache-2.0
#include "nerve/health/report.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace nerve::health {

namespace {

/// Whole numbers without a fraction, as people count bytes.
Json number_json(double number) {
  constexpr double exact_max = 9007199254740992.0;  // 2^53
  if (std::trunc(number) == number && std::abs(number) <= exact_max) {
    return Json(static_cast<std::int64_t>(number));
  }
  return Json(number);
}

}  // namespace

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

int monitoring_code(Status status) noexcept {
  switch (status) {
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

Status Report::status() const noexcept {
  if (checks.empty()) return Status::unknown;
  return std::max_element(checks.begin(), checks.end(),
                          [](const Check& a, const Check& b) { return a.status < b.status; })
      ->status;
}

Json Report::to_json() const {
  Json list = Json::array();
  for (const Check& check : checks) {
    Json item = {{"id", check.id},           {"status", to_string(check.status)},
                 {"value", check.value},     {"threshold", check.threshold},
                 {"message", check.message}, {"fix", check.fix}};
    if (check.number) {
      item["value_number"] = number_json(*check.number);
      item["unit"] = check.unit;
    }
    if (!check.store.empty()) item["store"] = check.store;
    list.push_back(std::move(item));
  }
  return {{"status", to_string(status())}, {"target", target}, {"checks", std::move(list)}};
}

int Report::exit_code() const noexcept {
  return monitoring_code(status());
}

}  // namespace nerve::health
