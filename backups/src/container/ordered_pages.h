// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain.h"

#include "nerve/core/bytes.h"
#include "nerve/core/progress.h"

#include <cstdint>
#include <functional>
#include <string_view>

namespace nerve::backups {

/// Hands over all pages of the database at the end of a chain in ascending order from 1, each after it was
/// compared with its hash. The bytes are valid inside the call.
///
/// Memory is a few MiB and 2 bytes a page: the pages are put in order window by window, and what a window
/// needs of a group is read for it. Throws IntegrityError, CancelledError, and what `take` throws.
void read_in_order(const Chain& chain, const std::function<void(std::uint32_t number, ByteView page)>& take,
                   std::string_view phase, ProgressSink* progress);

}  // namespace nerve::backups
