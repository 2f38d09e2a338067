// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/field.h"
#include "nerve/placement.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nerve {

/// How much harm the disclosure of a table's rows would do.
enum class Classification : std::uint8_t { public_data, internal, confidential, critical };

/// "public", "internal", "confidential" or "critical".
std::string_view to_string(Classification classification) noexcept;

/// What the application may do with the rows of a table. The PostgreSQL roles grant no more than this.
enum class Writing : std::uint8_t {
  any,          ///< insert, update, delete
  append_only,  ///< insert
  none,         ///< only migrations and the making of a workspace write it
};

/// Rows may be removed for good when as much time has passed since the time in this column; those where it is
/// NULL stay.
struct Retention {
  std::chrono::days period;
  std::string_view since_column;
};

/// What is said of a table as a whole.
struct RecordFacts {
  std::string_view table;
  std::string_view noun;  ///< what people call one of them: "tenant"
  /// The group of commands that shows them, for hints: "tenant"; empty where there is none.
  std::string_view command = {};
  Classification classification = Classification::internal;
  /// Has the column tenant_id, which is no field: core reads and writes it.
  bool is_tenant_owned = false;
  /// Its rows are the tenants themselves: a scope of one tenant sees its own row only.
  bool is_tenant = false;
  /// Has the column created_by, which core writes from the scope.
  bool has_creator = false;
  Writing writing = Writing::any;
  std::optional<Retention> retention = std::nullopt;  ///< absent: kept until somebody decides
  /// False where a row is the state of some machinery, whose changes tell nobody anything.
  bool is_recorded = true;
  /// A condition that every read of the record keeps, such as one that hides a row of the system's own.
  std::string_view always = {};
};

/// A table with its columns, in a form that no C++ type is needed for. Everything that is the same for all
/// records (statements, JSON, lists, roles, health, retention) reads it. Is a constant of a module.
///
/// Columns that core keeps, where a table has them: tenant_id and created_by (see RecordFacts), created_at
/// and updated_at, and deleted_at, which makes the record one that can be removed and restored.
class RecordType {
 public:
  /// Of no fixed C++ type: the fields are of `record_tag`.
  constexpr RecordType(const RecordFacts& facts, std::span<const Field> fields, const void* record_tag)
      : facts_(facts), fields_(fields) {
    for (const Field& field : fields) {
      if (field.record_tag != record_tag) throw "a field of another record";
      int same = 0;
      for (const Field& other : fields) same += other.name == field.name ? 1 : 0;
      if (same != 1) throw "a column twice";
      if (field.name == "tenant_id" || field.name == "created_by") throw "a column that core keeps";
      if (field.name == "deleted_at") is_soft_deleted_ = true;
      if (field.is_key || field.name == "id") ++key_size_;
    }
    if (key_size_ == 0) throw "no key: a field named id, or one with key()";
  }
  RecordType(const RecordType&) = delete;
  RecordType& operator=(const RecordType&) = delete;
  /// What it made of itself is kept until the program ends.
  ~RecordType() = default;

  constexpr const RecordFacts& facts() const noexcept { return facts_; }
  constexpr std::string_view table() const noexcept { return facts_.table; }
  constexpr std::string_view noun() const noexcept { return facts_.noun; }
  constexpr std::span<const Field> fields() const noexcept { return fields_; }
  constexpr bool is_tenant_owned() const noexcept { return facts_.is_tenant_owned; }
  constexpr bool is_soft_deleted() const noexcept { return is_soft_deleted_; }

  /// The field of a column; null where it has none.
  const Field* find(std::string_view column) const noexcept;
  /// The only field of the key. Throws Error for a key of several columns.
  const Field& key() const;
  /// Columns of the key, in order.
  std::vector<std::string_view> key_columns() const;
  /// Columns of the fields with this flag: columns(&Field::is_sealed).
  std::vector<std::string_view> columns(bool Field::*flag) const;
  const Field* natural_key() const noexcept;
  /// "tenants": the noun with an s.
  std::string plural() const;

  /// What a struct of the record holds in each field; borrows from it.
  std::vector<db::Value> values_in(const void* record) const;
  /// Fills a struct from the columns, in the order of the fields. Throws DatabaseError that names the column
  /// for a NULL in a field that is not optional.
  void decode(void* record, std::span<const db::Cell> cells) const;

  /// Statements made once.
  struct Sql {
    std::string columns;  ///< "id, slug, name"
    std::string insert;   ///< of all columns; nothing happens where a unique key is taken
    std::vector<db::ValueType> types;
  };
  const Sql& sql() const;

 private:
  Sql make_sql() const;

  RecordFacts facts_;
  std::span<const Field> fields_;
  bool is_soft_deleted_ = false;
  int key_size_ = 0;
  mutable std::atomic<const Sql*> sql_{nullptr};
};

/// The table that structs of the type R are rows of.
///
///   constexpr Field tenant_fields[] = {field<&Tenant::id>("id"), field<&Tenant::slug>("slug").natural_key(),
///   …}; constinit const Record<Tenant> tenants({.table = "tenants", .noun = "tenant"}, tenant_fields);
///
/// What is wrong with it does not compile. R is default-constructible.
template <class R>
class Record final : public RecordType {
 public:
  constexpr Record(const RecordFacts& facts, std::span<const Field> fields)
      : RecordType(facts, fields, &detail::record_tag<R>) {}

  R read(std::span<const db::Cell> cells) const {
    R row{};
    decode(&row, cells);
    return row;
  }
};

}  // namespace nerve
