// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/core/time.h"
#include "nerve/db/transaction.h"
#include "nerve/placement.h"

#include <optional>

namespace nerve::workspace {

/// What a database says of itself: which store it is, of which workspace.
struct StoreIdentity {
  bool singleton = true;
  Uuid workspace_id = {};
  Store store = Store::core;
  Timestamp created_at = {};
};

/// Nothing where the database is no store, or not yet.
std::optional<StoreIdentity> read_store_identity(db::Transaction& transaction);

/// Gives a database its identity, once: the one it has already is kept and returned.
StoreIdentity claim_store(db::Transaction& transaction, const StoreIdentity& identity);

}  // namespace nerve::workspace
