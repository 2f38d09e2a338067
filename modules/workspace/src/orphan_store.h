// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/cross_store.h"
#include "nerve/db/transaction.h"

#include <cstdint>
#include <vector>

namespace nerve::workspace {

/// Remembers an orphan; returns when it was first seen.
Timestamp remember_orphan(db::Transaction& transaction, const StoreReference& reference, const Uuid& missing,
                          Timestamp now);
std::optional<Timestamp> first_seen(db::Transaction& transaction, const StoreReference& reference,
                                    const Uuid& missing);
/// The remembered orphans of a reference, by id, after `after`, at most `limit`.
std::vector<Uuid> remembered_orphans(db::Transaction& transaction, const StoreReference& reference,
                                     const Uuid& after, std::int64_t limit);
void forget_orphan(db::Transaction& transaction, const StoreReference& reference, const Uuid& missing);

/// Does what the facts ask for with the rows that hold the id; returns how many there were.
std::int64_t act_on_orphan(db::Transaction& transaction, const StoreReference& reference, const Uuid& missing,
                           Timestamp now);

}  // namespace nerve::workspace
