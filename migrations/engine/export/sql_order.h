// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/catalogue.h"

#include <vector>

namespace nerve::migrations {

/// The objects in an order in which they can be made: each after those it depends on, and of those that are
/// free the first by kind and name. Where a circle leaves none free (a function that returns rows of a table
/// whose default calls it), the first of them goes.
std::vector<const Object*> in_creation_order(const Catalogue& catalogue);

}  // namespace nerve::migrations
