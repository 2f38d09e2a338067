// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/store_identity.h"

#include "nerve/db/dialect.h"

#include <string>

namespace nerve::workspace {

std::optional<StoreIdentity> read_store_identity(db::Transaction& transaction) {
  const std::string exists(db::table_exists_expression(transaction.dialect()));
  if (!transaction.one<bool>("SELECT " + exists, {{"table", "store_identity"}})) return std::nullopt;
  const auto row = transaction.maybe<Uuid, Store, Timestamp>(
      "SELECT workspace_id, store, created_at FROM store_identity LIMIT 1");
  if (!row) return std::nullopt;
  const auto& [workspace_id, store, created_at] = *row;
  return StoreIdentity{.workspace_id = workspace_id, .store = store, .created_at = created_at};
}

StoreIdentity claim_store(db::Transaction& transaction, const StoreIdentity& identity) {
  transaction.execute(
      "INSERT INTO store_identity (singleton, workspace_id, store, created_at) VALUES (:yes, :workspace_id, "
      ":store, :created_at) ON CONFLICT DO NOTHING",
      {{"yes", true},
       {"workspace_id", identity.workspace_id},
       {"store", identity.store},
       {"created_at", identity.created_at}});
  return *read_store_identity(transaction);
}

}  // namespace nerve::workspace
