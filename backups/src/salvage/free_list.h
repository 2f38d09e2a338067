// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/page_map.h"
#include "salvage/page_source.h"

namespace nerve::backups::salvage {

/// Marks the pages of the free list (https://www.sqlite.org/fileformat2.html#the_freelist) as unused, and
/// says in the map whether it was whole.
void mark_free_pages(const PageSource& source, PageMap& map);

/// Marks the pages that a database which vacuums itself keeps pointers in
/// (https://www.sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages).
void mark_pointer_maps(const PageSource& source, PageMap& map);

}  // namespace nerve::backups::salvage
