// SPDX-License-Identifier: Apache-2.0
#include "orphan_store.h"

#include "nerve/db/identifier.h"

#include <fmt/format.h>

namespace nerve::workspace {

std::optional<Timestamp> first_seen(db::Transaction& transaction, const StoreReference& reference,
                                    const Uuid& missing) {
  return transaction.maybe<Timestamp>(
      "SELECT first_seen_at FROM orphan_references WHERE table_name = :table AND column_name = :column AND "
      "missing_id = :id",
      {{"table", reference.table.name}, {"column", reference.reference.column}, {"id", missing}});
}

Timestamp remember_orphan(db::Transaction& transaction, const StoreReference& reference, const Uuid& missing,
                          Timestamp now) {
  transaction.execute(
      "INSERT INTO orphan_references (table_name, column_name, missing_id, first_seen_at) VALUES (:table, "
      ":column, :id, :now) ON CONFLICT DO NOTHING",
      {{"table", reference.table.name},
       {"column", reference.reference.column},
       {"id", missing},
       {"now", now}});
  return first_seen(transaction, reference, missing).value_or(now);
}

std::vector<Uuid> remembered_orphans(db::Transaction& transaction, const StoreReference& reference,
                                     const Uuid& after, std::int64_t limit) {
  std::vector<Uuid> ids;
  transaction.each<Uuid>(
      "SELECT missing_id FROM orphan_references WHERE table_name = :table AND column_name = :column AND "
      "missing_id > :after ORDER BY missing_id LIMIT :limit",
      {{"table", reference.table.name},
       {"column", reference.reference.column},
       {"after", after},
       {"limit", limit}},
      [&](const Uuid& id) { ids.push_back(id); });
  return ids;
}

void forget_orphan(db::Transaction& transaction, const StoreReference& reference, const Uuid& missing) {
  transaction.execute(
      "DELETE FROM orphan_references WHERE table_name = :table AND column_name = :column AND missing_id = "
      ":id",
      {{"table", reference.table.name}, {"column", reference.reference.column}, {"id", missing}});
}

std::int64_t act_on_orphan(db::Transaction& transaction, const StoreReference& reference, const Uuid& missing,
                           Timestamp now) {
  const std::string table = db::Identifier(reference.table.name).quoted();
  const std::string column = db::Identifier(reference.reference.column).quoted();
  switch (reference.reference.on_orphan) {
    case OrphanAction::clear:
      return transaction.execute(fmt::format("UPDATE {0} SET {1} = NULL WHERE {1} = :id", table, column),
                                 {{"id", missing}});
    case OrphanAction::erase:
      return transaction.execute(
          fmt::format("UPDATE {0} SET deleted_at = :now WHERE {1} = :id AND deleted_at IS NULL", table,
                      column),
          {{"now", now}, {"id", missing}});
    case OrphanAction::report:
      break;
  }
  return 0;
}

}  // namespace nerve::workspace
