// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::health {

/// How a check ended, from best to worst. What could not be checked is `unknown`, never `ok`.
enum class Status : std::uint8_t { ok, warning, unknown, critical };

/// "ok", "unknown", "warning" or "critical".
std::string_view to_string(Status status) noexcept;

/// As monitoring systems count: 0 ok, 1 warning, 2 critical, 3 unknown.
int monitoring_code(Status status) noexcept;

/// One finding: what was looked at, what was seen, what would be acceptable, and the command that mends it.
struct Check {
  std::string id = {};  ///< stable, dotted, such as "sqlite.integrity"; ModuleCheck states that of a module
  Status status = Status::unknown;
  std::string value;      ///< what was seen, with its unit ("4 MiB", "0 of 247 pages")
  std::string threshold;  ///< what it is compared with ("at most 25 %"); empty where nothing is compared
  std::string message;    ///< lowercase, one line, names the object
  /// A command or sentence that mends it; empty when ok. To a command of a module that begins with
  /// "nerve-db ", the program adds ` --workspace DIR`.
  std::string fix;
  std::optional<double> number = {};  ///< `value` for machines, where it is a number
  std::string unit = {};              ///< of `number`: "bytes", "percent", "seconds" or "count"
  std::string store = {};  ///< "core" or "secure", where one report has the same check of both stores

  /// The id, with the store behind it where there is one: "backup.age (secure)".
  std::string name() const { return store.empty() ? id : id + " (" + store + ")"; }
};

}  // namespace nerve::health
