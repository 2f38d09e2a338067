// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nerve {

/// `text` as one word of a POSIX shell, in single quotes.
std::string shell_quoted(std::string_view text);

/// `text` as a POSIX shell reads it back, quoted only where it must be: for commands in hints.
std::string shell_word(std::string_view text);

}  // namespace nerve
