// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace nerve::convert {

/// The octets of a UUID as RFC 9562 writes it, in lower case: the one text that PostgreSQL gives back.
std::optional<std::array<std::byte, 16>> parse_uuid(std::string_view text) noexcept;

inline bool is_uuid_text(std::string_view text) noexcept {
  return parse_uuid(text).has_value();
}

}  // namespace nerve::convert
