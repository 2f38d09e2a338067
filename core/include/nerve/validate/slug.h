// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Names of records in commands and addresses.
namespace nerve::validate {

inline constexpr std::size_t slug_length_max = 63;

/// Whether it is lower-case ASCII letters, digits and single hyphens between them, 1 to slug_length_max in
/// all.
bool is_slug(std::string_view text) noexcept;

/// A slug made of a name: its ASCII letters and digits in lower case, a hyphen for whatever is between them.
/// Empty where it has none.
std::string slug_of(std::string_view name);

}  // namespace nerve::validate
