// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/migration.h"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// What one statement does that a rule is about.
struct Hazard {
  std::string_view rule;
  std::size_t offset = 0;  ///< in the statement
  std::string subject;     ///< "users", "users.email"
};

/// Tables of which nothing is said, by name as the engine folds it: those the migration makes or says to
/// rebuild.
using OwnTables = std::set<std::string, std::less<>>;

/// The hazards of a statement, in their order. A table that it makes is added to `own`.
std::vector<Hazard> hazards_of(std::string_view statement, db::Dialect dialect, OwnTables& own);

}  // namespace nerve::migrations
