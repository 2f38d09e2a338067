// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nerve::convert {

/// The text with U+FFFD for each octet that is not UTF-8. Names and definitions of SQLite may hold such ones;
/// PostgreSQL and JSON take none.
std::string valid_text(std::string_view text);

}  // namespace nerve::convert
