// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reader.h"

#include <cstdint>
#include <functional>

namespace nerve::backups {

/// Called with each group once it was verified, by several threads, in no order.
using UseGroup = std::function<void(const PageGroup& group)>;

/// Called by the caller's thread now and then with the bytes of the container that have been read.
using ReadSoFar = std::function<void(std::uint64_t bytes)>;

/// Reads and verifies all groups of a container by two threads. Throws what a thread ran into first, and
/// CancelledError.
void walk_groups(const ContainerReader& container, const UseGroup& use, const ReadSoFar& read_so_far);

}  // namespace nerve::backups
