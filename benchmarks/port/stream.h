// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "work.h"

#include <cstdint>
#include <string>

namespace nerve::bench {

/// How a program reads all rows of the benchmark's table.
enum class Reading : std::uint8_t { each, stream };

/// Reads them, in the order of their ids, as a whole program does: with a connection of its own. Throws where
/// they are not the first `rows`.
void read_rows(const std::string& url, Reading reading, std::int64_t rows);

/// Fills a table at `url`, has each() and stream() read it in turn, every time in a process of its own, and
/// prints rows a second and the largest resident set of both.
void compare_readings(const std::string& url, std::int64_t rows, int rounds);

}  // namespace nerve::bench
