// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace nerve::cli {

/// How the command ends: a contract with scripts (docs/exit_codes.md). Codes are added, never changed.
enum class ExitCode : std::uint8_t {
  ok = 0,
  failure = 1,
  usage = 2,
  not_found = 3,
  conflict = 4,
  denied = 5,
  integrity = 6,
  unavailable = 7,
  pending_migrations = 8,
  drift = 9,
  partial = 10,
  unsupported = 11,
  cancelled = 130,
};

struct ExitCodeMeaning {
  ExitCode code;
  std::string_view meaning;
};

/// All codes with what they mean, ascending: the help and the completions' documentation are made of it, and
/// a test compares docs/exit_codes.md with it.
std::span<const ExitCodeMeaning> exit_code_meanings() noexcept;

ExitCode exit_code_of(ErrorKind kind) noexcept;

/// Of a command that speaks to monitoring systems, which know four codes: 0 ok, 1 warning, 2 critical and 3
/// unknown. That it could not look at all is "unknown", whatever the reason.
inline constexpr int monitoring_unknown = 3;

}  // namespace nerve::cli
