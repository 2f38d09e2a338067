// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"
#include "nerve/health/check.h"

#include <string>
#include <vector>

namespace nerve::health {

/// The checks of one run, in the order they were made.
struct Report {
  std::string target;  ///< path or URL (without credentials) that was checked
  std::vector<Check> checks;

  /// The worst status of all checks; `unknown` when there are none. It outranks a warning: what could not be
  /// checked may be worse than what was found.
  Status status() const noexcept;

  /// {"status", "target", "checks": [{"id", "status", "value", "threshold", "message", "fix"}]}, and
  /// "value_number" and "unit" in each check whose value is a number, "store" in each of one of two stores.
  Json to_json() const;

  /// The monitoring_code() of the whole.
  int exit_code() const noexcept;
};

}  // namespace nerve::health
