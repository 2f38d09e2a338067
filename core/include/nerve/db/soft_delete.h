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

  // A key is a Value, or whatever Codec binds, such as an id.

  /// Marks a live row; false when there is none with this key.
  template <class Key>
  bool erase(Transaction& transaction, const Key& key, Timestamp now) const {
    return erase_row(transaction, Parameter("key", key), now);
  }
  /// Takes the mark off; false when no marked row has this key.
  template <class Key>
  bool restore(Transaction& transaction, const Key& key) const {
    return restore_row(transaction, Parameter("key", key));
  }
  /// Removes for good what was marked before `before`, at most `limit` rows; returns how many.
  std::int64_t purge(Transaction& transaction, Timestamp before, std::int64_t limit) const;

  std::int64_t count(Transaction& transaction, Visibility visibility = Visibility::live) const;
  template <class Key>
  bool exists(Transaction& transaction, const Key& key, Visibility visibility = Visibility::live) const {
    return row_exists(transaction, Parameter("key", key), visibility);
  }
  /// When the row was marked; nothing for a live row or none.
  template <class Key>
  std::optional<Timestamp> deleted_at(Transaction& transaction, const Key& key) const {
    return row_deleted_at(transaction, Parameter("key", key));
  }

 private:
  bool erase_row(Transaction& transaction, const Parameter& key, Timestamp now) const;
  bool restore_row(Transaction& transaction, const Parameter& key) const;
  bool row_exists(Transaction& transaction, const Parameter& key, Visibility visibility) const;
  std::optional<Timestamp> row_deleted_at(Transaction& transaction, const Parameter& key) const;

  Identifier table_;
  Identifier key_;
};

}  // namespace nerve::db
