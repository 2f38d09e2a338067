// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/json_list.h"
#include "nerve/core/output.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::cli {

/// What validate says of many inputs, one after the other: each violation on standard error, or with --json
/// {"results": [ … ], "checked": 5, "invalid": 2}.
class ValidationReport {
 public:
  /// Borrows `output`. `noun` is the plural of what is checked: "values".
  ValidationReport(Output& output, std::string_view noun);

  /// `where` names the input in text; `result` is what JSON says of it beside "valid" and "violations".
  /// Returns whether its canonical form is to be written as data.
  bool add(std::string_view where, Json result, const std::vector<Violation>& violations);

  /// Throws ValidationError "not valid: 2 of 5 values" where any is not.
  void finish();

 private:
  Output& output_;
  std::string noun_;
  std::optional<JsonList> list_;  // with --json
  std::int64_t checked_ = 0;
  std::int64_t invalid_ = 0;
};

}  // namespace nerve::cli
