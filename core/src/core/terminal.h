// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdio>

namespace nerve {

/// Whether what is written to `stream` goes to a terminal.
bool is_terminal(std::FILE* stream) noexcept;

/// How many columns the terminal behind `stream` has: COLUMNS where it is set, as POSIX lets the user prefer
/// a width, else what the terminal says, else 80.
std::size_t terminal_columns(std::FILE* stream) noexcept;

}  // namespace nerve
