// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"
#include "nerve/db/codec.h"
#include "nerve/db/identifier.h"
#include "nerve/db/transaction.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace nerve::db {

/// Which rows of a soft-deletable table a read sees.
enum class Visibility : std::uint8_t { live, deleted, all };

/// The condition that a WHERE clause needs to see those rows: "deleted_at IS NULL" and its like.
std::string_view visibility_condition(Visibility visibility) noexcept;

/// A table whose rows are marked by `deleted_at` before they are purged. Restoring is possible until then.
class SoftDeletion {
 public:
  explicit SoftDeletion(Identifier table, Identifier key = "id")
      : table_(std::move(table)), key_(std::move(key)) {}

  /// Marks a live row; false when there is none with this key.
  bool erase(Transaction& transaction, const Value& key, Timestamp now) const;
  /// Takes the mark off; false when no marked row has this key.
  bool restore(Transaction& transaction, const Value& key) const;
  /// Removes for good what was marked before `before`, at most `limit` rows; returns how many.
  std::int64_t purge(Transaction& transaction, Timestamp before, std::int64_t limit) const;

  std::int64_t count(Transaction& transaction, Visibility visibility = Visibility::live) const;
  bool exists(Transaction& transaction, const Value& key, Visibility visibility = Visibility::live) const;
  /// When the row was marked; nothing for a live row or none.
  std::optional<Timestamp> deleted_at(Transaction& transaction, const Value& key) const;

 private:
  Identifier table_;
  Identifier key_;
};

}  // namespace nerve::db
