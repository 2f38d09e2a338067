// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/database.h"
#include "nerve/migrations/catalogue.h"
#include "nerve/migrations/ledger.h"
#include "nerve/migrations/migration_set.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

enum class DifferenceKind : std::uint8_t {
  missing,     ///< the migrations make it, and it is not there
  unexpected,  ///< it is there, and no migration makes it
  different,   ///< it is there, but is not what the migrations make
};

/// "missing", "unexpected" or "different".
std::string_view to_string(DifferenceKind kind) noexcept;

/// What was decided about a difference (Action::adopt, Action::ignore).
enum class Acceptance : std::uint8_t {
  none,
  adopted,  ///< this difference is wanted; another one of the same object is not covered
  ignored,  ///< the object is not compared at all
};

/// "none", "adopted" or "ignored".
std::string_view to_string(Acceptance acceptance) noexcept;

/// One object that is not what the applied migrations make.
struct Difference {
  ObjectKind object_kind = ObjectKind::table;
  std::string object;  ///< its title, "table users": the subject of a decision
  DifferenceKind kind = DifferenceKind::different;
  std::vector<std::string> changes;  ///< of a different one: "column email added: text not null" …
  /// SHA-256 of the difference. It stays the same while later migrations change other parts of the object, so
  /// that what was adopted stays adopted, and changes with the difference itself.
  std::string fingerprint;
  Acceptance acceptance = Acceptance::none;
  std::string reason = {};  ///< given with the decision
};

struct DriftReport {
  /// Why nothing can be said; empty where the schemas were compared. Never taken for "no drift".
  std::string unknown;
  std::string hint;  ///< what to do about it
  std::vector<Difference> differences;
  std::size_t compared = 0;  ///< objects, on either side

  bool is_known() const noexcept { return unknown.empty(); }
  /// Differences that nobody accepted.
  std::size_t open_count() const noexcept;
  const Difference* find(std::string_view object) const noexcept;

  /// Throws Error of kind drift for open differences, and UnsupportedError where nothing can be said.
  /// `database` is named in the message.
  void require_none(const std::string& database) const;
};

/// Opens an empty database of the same engine, to be thrown away: an open_scratch_database of backends, or
/// any PostgreSQL database that is empty and owned by the role that opens it, best on another server.
using ScratchSource = std::function<std::unique_ptr<db::Database>()>;

/// Compares the database with what its applied migrations make of an empty one (docs/schema_drift.md).
///
/// They are replayed into a database from `scratch`, on PostgreSQL in one transaction that is rolled back and
/// with the rights of pg_database_owner, so that nothing reaches out of it and nothing stays in it. The
/// database itself is only read, in one snapshot with its ledger, so that a migration at the same time does
/// no harm. Nothing is ever changed or reset.
///
/// What cannot be replayed is said in DriftReport::unknown: a changed or missing file, a statement that needs
/// more than the migrations make, an absent ledger, a scratch database that cannot be had or is not empty.
/// Throws where the database itself, or one that the caller named for scratch, cannot be reached.
DriftReport find_drift(db::Database& database, const MigrationSet& set, const Ledger& ledger,
                       const ScratchSource& scratch);

/// How `actual` differs from `expected`, as find_drift does it; no decision is looked at.
std::vector<Difference> compare(const Catalogue& expected, const Catalogue& actual);

}  // namespace nerve::migrations
