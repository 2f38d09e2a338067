// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nerve::convert {

/// Whether PostgreSQL takes this text as a value of type json, and so keeps it as it is: RFC 8259, in valid
/// UTF-8, without a \u escape of half a surrogate pair, and not nested deeper than the server's stack bears.
bool is_json_text(std::string_view text);

}  // namespace nerve::convert
