// SPDX-License-Identifier: Apache-2.0
#include "orphan_store.h"

#include "records.h"

#include <fmt/format.h>

namespace nerve::workspace {

namespace {

constexpr std::string_view of_reference = "table_name = :table AND column_name = :column AND ";

}  // namespace

std::optional<Timestamp> first_seen(Reader& reader, const StoreReference& reference, const Uuid& missing) {
  const auto found = reader.find_where(
      orphan_references, fmt::format("{}missing_id = :id", of_reference),
      {{"table", reference.record->table()}, {"column", reference.column}, {"id", missing}});
  return found ? std::optional(found->first_seen_at) : std::nullopt;
}

Timestamp remember_orphan(Change& change, const StoreReference& reference, const Uuid& missing) {
  change.try_insert(orphan_references, {std::string(reference.record->table()), std::string(reference.column),
                                        missing, change.now()});
  return first_seen(change, reference, missing).value_or(change.now());
}

std::vector<Uuid> remembered_orphans(Reader& reader, const StoreReference& reference, const Uuid& after,
                                     std::int64_t limit) {
  std::vector<Uuid> ids;
  for (const OrphanReference& orphan :
       reader.select(orphan_references, fmt::format("{}missing_id > :after", of_reference),
                     {{"table", reference.record->table()}, {"column", reference.column}, {"after", after}},
                     {.order_by = "missing_id", .limit = limit})) {
    ids.push_back(orphan.missing_id);
  }
  return ids;
}

void forget_orphan(Change& change, const StoreReference& reference, const Uuid& missing) {
  change.execute(fmt::format("DELETE FROM orphan_references WHERE {}missing_id = :id", of_reference),
                 {{"table", reference.record->table()}, {"column", reference.column}, {"id", missing}});
}

std::vector<OrphanRow> rows_with_orphan(Reader& reader, const StoreReference& reference, const Uuid& missing,
                                        std::int64_t limit) {
  const RecordType& record = *reference.record;
  std::vector<OrphanRow> rows;
  reader.each<Uuid, std::optional<TenantId>>(
      fmt::format("SELECT {}, {} FROM {} WHERE {} = :id AND {} ORDER BY 1 LIMIT :limit", record.key().name,
                  record.is_tenant_owned() ? "tenant_id" : "NULL", record.table(), reference.column,
                  record.is_soft_deleted() ? db::visibility_condition(db::Visibility::live) : "TRUE"),
      {{"id", missing}, {"limit", limit}}, [&](const Uuid& id, const std::optional<TenantId>& tenant) {
        rows.push_back({id, tenant});
      });
  return rows;
}

}  // namespace nerve::workspace
