// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/soft_delete.h"

#include <string>

namespace nerve::db {

std::string_view visibility_condition(Visibility visibility) noexcept {
  switch (visibility) {
    case Visibility::live:
      return "deleted_at IS NULL";
    case Visibility::deleted:
      return "deleted_at IS NOT NULL";
    case Visibility::all:
      return "TRUE";
  }
  return "TRUE";
}

bool SoftDeletion::erase_row(Transaction& transaction, const Parameter& key, Timestamp now) const {
  return transaction.execute("UPDATE " + table_.quoted() + " SET deleted_at = :now WHERE " + key_.quoted() +
                                 " = :key AND deleted_at IS NULL",
                             {{"now", now}, key}) == 1;
}

bool SoftDeletion::restore_row(Transaction& transaction, const Parameter& key) const {
  return transaction.execute("UPDATE " + table_.quoted() + " SET deleted_at = NULL WHERE " + key_.quoted() +
                                 " = :key AND deleted_at IS NOT NULL",
                             {key}) == 1;
}

std::int64_t SoftDeletion::purge(Transaction& transaction, Timestamp before, std::int64_t limit) const {
  const std::string key = key_.quoted();
  return transaction.execute("DELETE FROM " + table_.quoted() + " WHERE " + key + " IN (SELECT " + key +
                                 " FROM " + table_.quoted() +
                                 " WHERE deleted_at < :before ORDER BY deleted_at, " + key + " LIMIT :limit)",
                             {{"before", before}, {"limit", limit}});
}

std::int64_t SoftDeletion::count(Transaction& transaction, Visibility visibility) const {
  return transaction.one<std::int64_t>("SELECT count(*) FROM " + table_.quoted() + " WHERE " +
                                       std::string(visibility_condition(visibility)));
}

bool SoftDeletion::row_exists(Transaction& transaction, const Parameter& key, Visibility visibility) const {
  return transaction
      .maybe<std::int64_t>("SELECT 1 FROM " + table_.quoted() + " WHERE " + key_.quoted() + " = :key AND " +
                               std::string(visibility_condition(visibility)),
                           {key})
      .has_value();
}

std::optional<Timestamp> SoftDeletion::row_deleted_at(Transaction& transaction, const Parameter& key) const {
  return transaction
      .maybe<std::optional<Timestamp>>(
          "SELECT deleted_at FROM " + table_.quoted() + " WHERE " + key_.quoted() + " = :key", {key})
      .value_or(std::nullopt);
}

}  // namespace nerve::db
