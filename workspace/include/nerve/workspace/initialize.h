// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/workspace/workspace.h"

#include <cstddef>
#include <filesystem>
#include <string>

namespace nerve::workspace {

struct NewWorkspace {
  std::filesystem::path folder;
  /// Databases of PostgreSQL, or paths of files; both or neither. Without them nerve.db and nerve-secure.db
  /// in the folder.
  std::string core_url = {};
  std::string secure_url = {};
  std::string actor = {};  ///< who makes it, for the history of the schema
  WorkspaceOptions options = {};
};

struct Initialized {
  std::filesystem::path folder;  ///< absolute
  Uuid id;
  bool was_resumed = false;            ///< an earlier run was cut off, and this one completed it
  bool was_folder_made = false;        ///< now, with mode 0700
  std::size_t migrations_applied = 0;  ///< in both stores, now
};

/// Makes a workspace: the folder (0700), both stores with their schema and identity, the folder backups
/// (0700), and at last nerve.toml (0600).
///
/// First of all it writes nerve.toml.part, which becomes nerve.toml at the end. While it is there, the same
/// call completes what was begun, with the same id; before it, nothing that exists is touched. Throws
/// ConflictError where there is a workspace, a file or a table already that this one would write to, or where
/// another call was begun with other databases; ValidationError for URLs; DeniedError; and what opening and
/// migrating throw.
Initialized initialize(const NewWorkspace& workspace);

}  // namespace nerve::workspace
