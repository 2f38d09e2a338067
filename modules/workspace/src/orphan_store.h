// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/change.h"
#include "nerve/cross_store.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace nerve::workspace {

/// Remembers an orphan; returns when it was first seen.
Timestamp remember_orphan(Change& change, const StoreReference& reference, const Uuid& missing);
std::optional<Timestamp> first_seen(Reader& reader, const StoreReference& reference, const Uuid& missing);
/// The remembered orphans of a reference, by id, after `after`, at most `limit`.
std::vector<Uuid> remembered_orphans(Reader& reader, const StoreReference& reference, const Uuid& after,
                                     std::int64_t limit);
void forget_orphan(Change& change, const StoreReference& reference, const Uuid& missing);

/// A row that holds an id, and whose it is.
struct OrphanRow {
  Uuid id;
  std::optional<TenantId> tenant;
};

/// The rows that hold the id and are not removed, at most `limit`, in a scope of all tenants.
std::vector<OrphanRow> rows_with_orphan(Reader& reader, const StoreReference& reference, const Uuid& missing,
                                        std::int64_t limit);

}  // namespace nerve::workspace
