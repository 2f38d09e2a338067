// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/store.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nerve {

/// How much harm the disclosure of a table's rows would do.
enum class Classification : std::uint8_t { public_data, internal, confidential, critical };

/// "public", "internal", "confidential" or "critical".
std::string_view to_string(Classification classification) noexcept;

/// What the application may do with a table. The PostgreSQL roles grant no more than this.
enum class Change : std::uint8_t {
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

/// What the sweep does with a reference whose record has been missing for long.
enum class OrphanAction : std::uint8_t {
  report,  ///< nothing: people decide
  clear,   ///< sets the column to NULL
  erase,   ///< soft-deletes the row
};

/// A column that holds the id of a record in the other store. No foreign key can hold it, so it is checked
/// when it is written (require_reference), by health, and by the orphan sweep.
struct CrossStoreReference {
  std::string_view column;
  std::string_view table;  ///< in the other store
  std::string_view key = "id";
  OrphanAction on_orphan = OrphanAction::report;
};

/// What a module says of one of its tables. Health, retention, erasure, export, tenant isolation, the roles
/// and the converter read it, so that each fact is stated once; a test compares it with the migrated schema.
struct TableFacts {
  std::string_view name;
  std::vector<std::string_view> key = {"id"};
  Classification classification = Classification::internal;
  bool is_soft_deleted = false;  ///< has deleted_at
  bool is_tenant_owned = false;  ///< has tenant_id
  Change change = Change::any;
  std::optional<Retention> retention = std::nullopt;  ///< absent: kept until somebody decides
  /// What says something of a natural person (GDPR Art. 4(1)), alone or by the row it stands in: a name, an
  /// address, a user's id, and when that person did something. The name of a company is none, and neither are
  /// the columns that every table has (created_by and the times of the row itself).
  std::vector<std::string_view> personal_columns = {};
  std::vector<std::string_view> sealed_columns = {};  ///< hold envelopes of encrypted values
  std::vector<CrossStoreReference> references = {};
};

}  // namespace nerve
