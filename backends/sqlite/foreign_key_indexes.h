// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <string>
#include <vector>

namespace nerve::sqlite {

/// A foreign key whose table must be read whole when a row of its parent is deleted or changed.
struct UnindexedForeignKey {
  std::string table;
  std::vector<std::string> columns;
  std::string parent;

  /// "album(artist_id)".
  std::string describe() const;
  /// Makes the index, under a name that nothing else has yet.
  std::string statement;
};

/// The foreign keys of ordinary tables with whose columns no index begins, in whatever order, and that are
/// not the rowid. By table; several keys over the same columns are told once.
std::vector<UnindexedForeignKey> find_unindexed_foreign_keys(Session& session);

}  // namespace nerve::sqlite
