// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/text.h"

#include <cstdint>
#include <string>

namespace nerve::cli {

/// "1 row", "15,607 rows".
inline std::string row_count(std::int64_t rows) {
  return format_count(rows) + (rows == 1 ? " row" : " rows");
}

}  // namespace nerve::cli
