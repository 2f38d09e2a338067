// SPDX-License-Identifier: Apache-2.0
#include "nerve/cross_store.h"

#include "nerve/core/error.h"
#include "nerve/db/dialect.h"
#include "nerve/db/soft_delete.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace nerve {

namespace {

/// Ids that are looked up at once.
constexpr std::int64_t portion = 500;

/// The rows of every tenant: whether a record is there is no tenant's business alone.
Scope sweeping() {
  return Scope::across_tenants(Actor::job_named("orphan-sweep"),
                               "references across the stores are looked up");
}

/// The next ids of the column after `after`, each once.
std::vector<Uuid> next_ids(Reader& reader, const StoreReference& reference,
                           const std::optional<Uuid>& after) {
  std::string sql = fmt::format("SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL", reference.column,
                                reference.record->table());
  if (reference.record->is_soft_deleted()) {
    sql += fmt::format(" AND {}", db::visibility_condition(db::Visibility::live));
  }
  if (after) sql += fmt::format(" AND {} > :after", reference.column);
  sql += fmt::format(" ORDER BY {} LIMIT :portion", reference.column);
  std::vector<db::Parameter> parameters{{"portion", portion}};
  if (after) parameters.emplace_back("after", *after);
  std::vector<Uuid> ids;
  reader.each<Uuid>(sql, std::span<const db::Parameter>(parameters),
                    [&](const Uuid& id) { ids.push_back(id); });
  return ids;
}

/// Those of `ids` that the target has no row for.
std::vector<Uuid> missing_ids(Reader& reader, const StoreReference& reference, const std::vector<Uuid>& ids,
                              db::Visibility visibility) {
  Json list = Json::array();
  for (const Uuid& id : ids) list.push_back(id.to_string());
  std::string sql = fmt::format(
      "WITH wanted AS (SELECT value AS wanted_id FROM {}) SELECT wanted_id FROM wanted WHERE NOT EXISTS "
      "(SELECT 1 FROM {} WHERE {} = {}",
      db::elements_expression(reader.dialect(), "ids"), reference.target->table(),
      reference.target->key().name, db::id_expression(reader.dialect(), "wanted_id"));
  if (reference.target->is_soft_deleted())
    sql += fmt::format(" AND {}", db::visibility_condition(visibility));
  std::vector<Uuid> missing;
  reader.each<Uuid>(sql + ")", {{"ids", list}}, [&](const Uuid& id) { missing.push_back(id); });
  return missing;
}

StoreReference resolve(std::span<const Module* const> modules, Store store, const RecordType& record,
                       std::string_view column, const FieldReference& reference) {
  const RecordType* target = find_record(modules, other_store(store), reference.table);
  if (target == nullptr) {
    throw Error(ErrorKind::failure,
                fmt::format("{}.{} refers to {}, which no module has in the {} store", record.table(), column,
                            reference.table, to_string(other_store(store))),
                "This is a defect of the module: please report it.");
  }
  return {store, &record, column, target, reference.on_orphan};
}

}  // namespace

std::string StoreReference::name() const {
  return fmt::format("{}.{}", record->table(), column);
}

const RecordType* find_record(std::span<const Module* const> modules, Store store, std::string_view table) {
  for (const Module* module : modules) {
    if (!is_in(module->placement, store)) continue;
    for (const RecordType* record : module->records) {
      if (record->table() == table) return record;
    }
  }
  return nullptr;
}

std::vector<StoreReference> cross_store_references(std::span<const Module* const> modules) {
  std::vector<StoreReference> references;
  const auto add_all_of = [&](Store store, const RecordType& record) {
    for (const Field& field : record.fields()) {
      if (!field.reference) continue;
      references.push_back(resolve(modules, store, record, field.name, *field.reference));
    }
    if (store == Store::secure && record.is_tenant_owned())
      references.push_back(resolve(modules, store, record, "tenant_id", {.table = "tenants"}));
  };
  for (const Module* module : modules) {
    for (const Store store : every_store) {
      if (!is_in(module->placement, store)) continue;
      for (const RecordType* record : module->records) add_all_of(store, *record);
    }
  }
  return references;
}

void require_reference(Stores& stores, Store store, std::string_view table, std::string_view column,
                       const Uuid& id) {
  const std::vector<StoreReference> references = cross_store_references(stores.modules());
  const auto found = std::ranges::find_if(references, [&](const StoreReference& one) {
    return one.store == store && one.record->table() == table && one.column == column;
  });
  if (found == references.end()) {
    throw Error(ErrorKind::failure, fmt::format("{}.{} is no reference across the stores", table, column),
                "This is a defect of the module: please report it.");
  }
  const bool is_missing = stores.store(other_store(store)).read(sweeping(), [&](Reader& reader) {
    return !missing_ids(reader, *found, {id}, db::Visibility::live).empty();
  });
  if (!is_missing) return;
  throw NotFoundError(fmt::format("the record that {} is to name is not among the {} of the {} store",
                                  found->name(), found->target->table(), to_string(other_store(store))),
                      "Make that record first, or restore it.");
}

std::int64_t each_orphan(Stores& stores, const StoreReference& reference,
                         const std::function<void(const Uuid&)>& on_orphan) {
  const OpenStore own = stores.store(reference.store);
  const OpenStore other = stores.store(other_store(reference.store));
  const Scope scope = sweeping();
  std::int64_t looked_up = 0;
  std::optional<Uuid> after;
  for (;;) {
    const std::vector<Uuid> ids =
        own.read(scope, [&](Reader& reader) { return next_ids(reader, reference, after); });
    if (ids.empty()) return looked_up;
    const std::vector<Uuid> missing = other.read(
        scope, [&](Reader& reader) { return missing_ids(reader, reference, ids, db::Visibility::all); });
    for (const Uuid& id : missing) on_orphan(id);
    looked_up += std::ssize(ids);
    after = ids.back();
  }
}

}  // namespace nerve
