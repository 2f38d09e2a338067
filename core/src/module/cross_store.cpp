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

/// The next ids of the column after `after`, each once.
std::vector<Uuid> next_ids(db::Transaction& transaction, const StoreReference& reference,
                           const std::optional<Uuid>& after) {
  const std::string column = db::Identifier(reference.reference.column).quoted();
  std::string sql = fmt::format("SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL", column,
                                db::Identifier(reference.table.name).quoted());
  if (reference.table.is_soft_deleted) {
    sql += fmt::format(" AND {}", db::visibility_condition(db::Visibility::live));
  }
  if (after) sql += fmt::format(" AND {} > :after", column);
  sql += fmt::format(" ORDER BY {} LIMIT :portion", column);
  std::vector<db::Parameter> parameters{{"portion", portion}};
  if (after) parameters.emplace_back("after", *after);
  std::vector<Uuid> ids;
  transaction.each<Uuid>(sql, db::Parameters(std::span<const db::Parameter>(parameters)),
                         [&](const Uuid& id) { ids.push_back(id); });
  return ids;
}

/// Those of `ids` that the table has no row for.
std::vector<Uuid> missing_ids(db::Transaction& transaction, const StoreReference& reference,
                              const std::vector<Uuid>& ids, db::Visibility visibility) {
  Json list = Json::array();
  for (const Uuid& id : ids) list.push_back(id.to_string());
  const db::Dialect dialect = transaction.dialect();
  std::string sql = fmt::format(
      "WITH wanted AS (SELECT value AS wanted_id FROM {}) SELECT wanted_id FROM wanted WHERE NOT EXISTS "
      "(SELECT 1 FROM {} WHERE {} = {}",
      db::elements_expression(dialect, "ids"), db::Identifier(reference.reference.table).quoted(),
      db::Identifier(reference.reference.key).quoted(), db::id_expression(dialect, "wanted_id"));
  if (reference.target_is_soft_deleted) sql += fmt::format(" AND {}", db::visibility_condition(visibility));
  std::vector<Uuid> missing;
  transaction.each<Uuid>(sql + ")", {{"ids", list}}, [&](const Uuid& id) { missing.push_back(id); });
  return missing;
}

StoreReference resolve(std::span<const Module* const> modules, Store store, const TableFacts& table,
                       const CrossStoreReference& reference) {
  const auto target = find_table(modules, other_store(store), reference.table);
  if (!target) {
    throw Error(ErrorKind::failure,
                fmt::format("{}.{} refers to {}, which no module has in the {} store", table.name,
                            reference.column, reference.table, to_string(other_store(store))),
                "This is a defect of the module: please report it.");
  }
  return {store, table, reference, target->is_soft_deleted};
}

}  // namespace

std::string StoreReference::name() const {
  return fmt::format("{}.{}", table.name, reference.column);
}

std::optional<TableFacts> find_table(std::span<const Module* const> modules, Store store,
                                     std::string_view table) {
  for (const Module* module : modules) {
    if (!is_in(module->placement(), store)) continue;
    for (TableFacts& facts : module->tables()) {
      if (facts.name == table) return std::move(facts);
    }
  }
  return std::nullopt;
}

std::vector<StoreReference> cross_store_references(std::span<const Module* const> modules) {
  std::vector<StoreReference> references;
  for (const Module* module : modules) {
    for (const Store store : every_store) {
      if (!is_in(module->placement(), store)) continue;
      for (const TableFacts& table : module->tables()) {
        for (const CrossStoreReference& reference : table.references) {
          references.push_back(resolve(modules, store, table, reference));
        }
        if (store == Store::secure && table.is_tenant_owned) {
          references.push_back(resolve(modules, store, table, {.column = "tenant_id", .table = "tenants"}));
        }
      }
    }
  }
  return references;
}

void require_reference(Stores& stores, Store store, std::string_view table, std::string_view column,
                       const Uuid& id) {
  const std::vector<StoreReference> references = cross_store_references(stores.modules());
  const auto found = std::ranges::find_if(references, [&](const StoreReference& one) {
    return one.store == store && one.table.name == table && one.reference.column == column;
  });
  if (found == references.end()) {
    throw Error(ErrorKind::failure, fmt::format("{}.{} is no reference across the stores", table, column),
                "This is a defect of the module: please report it.");
  }
  const bool is_missing = stores.store(other_store(store)).database.read([&](db::Transaction& transaction) {
    return !missing_ids(transaction, *found, {id}, db::Visibility::live).empty();
  });
  if (!is_missing) return;
  throw NotFoundError(fmt::format("the record that {} is to name is not among the {} of the {} store",
                                  found->name(), found->reference.table, to_string(other_store(store))),
                      "Make that record first, or restore it.");
}

std::int64_t each_orphan(Stores& stores, const StoreReference& reference,
                         const std::function<void(const Uuid&)>& on_orphan) {
  db::Database& own = stores.store(reference.store).database;
  db::Database& other = stores.store(other_store(reference.store)).database;
  std::int64_t looked_up = 0;
  std::optional<Uuid> after;
  for (;;) {
    const std::vector<Uuid> ids =
        own.read([&](db::Transaction& transaction) { return next_ids(transaction, reference, after); });
    if (ids.empty()) return looked_up;
    const std::vector<Uuid> missing = other.read([&](db::Transaction& transaction) {
      return missing_ids(transaction, reference, ids, db::Visibility::all);
    });
    for (const Uuid& id : missing) on_orphan(id);
    looked_up += std::ssize(ids);
    after = ids.back();
  }
}

}  // namespace nerve
