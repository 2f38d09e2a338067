// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <string_view>

/// Numbers out of files that somebody else may have written.
namespace nerve::backups {

/// JSON's other readers can carry no more without loss, and no count of ours comes near it.
inline constexpr std::int64_t number_max = std::int64_t{1} << 53U;

/// The highest number that a backup of a repository may have.
inline constexpr std::int64_t sequence_max = number_max;

/// A whole number between `least` and `most`. Throws IntegrityError, which names the field, for another
/// number and for what is none: a conversion would make any number of them.
inline std::int64_t whole_number(const Json& json, std::string_view field, std::int64_t least,
                                 std::int64_t most) {
  const bool is_fit =
      json.is_number_unsigned()
          ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
          : json.is_number_integer();
  if (!is_fit || json.get<std::int64_t>() < least || json.get<std::int64_t>() > most) {
    throw IntegrityError(fmt::format("its {} is no whole number from {} to {}", field, least, most));
  }
  return json.get<std::int64_t>();
}

}  // namespace nerve::backups
