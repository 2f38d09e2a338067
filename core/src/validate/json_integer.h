// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <utility>

namespace nerve::validate {

/// Whether it is an integer that a signed one of 64 bits holds.
inline bool is_integer(const Json& value) {
  if (!value.is_number_unsigned()) return value.is_number_integer();
  return std::in_range<std::int64_t>(value.get<std::uint64_t>());
}

}  // namespace nerve::validate
