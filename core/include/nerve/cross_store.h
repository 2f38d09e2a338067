// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/module.h"
#include "nerve/store.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nerve {

/// A column of one store that holds ids of records of the other.
struct StoreReference {
  Store store;  ///< of the column
  const RecordType* record;
  std::string_view column;
  const RecordType* target;
  OrphanAction on_orphan = OrphanAction::report;

  /// "certificates.owner_user_id".
  std::string name() const;
};

/// Every reference across the stores. A tenant-owned table of the secure store refers to the tenants by its
/// tenant_id without saying so. Throws Error for one to a table that no module has.
std::vector<StoreReference> cross_store_references(std::span<const Module* const> modules);

/// The record of a table of a store; null where no module has it.
const RecordType* find_record(std::span<const Module* const> modules, Store store, std::string_view table);

/// To be called before a row is written whose `column` is a reference across the stores: throws
/// NotFoundError, which does not name the id, unless the other store has that record and it is not removed.
/// It can be removed right after; health and the sweep find that. Throws Error where no field says so.
void require_reference(Stores& stores, Store store, std::string_view table, std::string_view column,
                       const Uuid& id);

/// Calls `on_orphan` with each id that the column holds, in a row that is not removed, and the other store
/// has no record of, removed ones included. In portions of bounded size, each a snapshot of its own. Returns
/// how many ids it looked up.
std::int64_t each_orphan(Stores& stores, const StoreReference& reference,
                         const std::function<void(const Uuid&)>& on_orphan);

}  // namespace nerve
