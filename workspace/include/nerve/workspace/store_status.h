// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"
#include "nerve/workspace/workspace.h"

#include <cstdint>
#include <optional>
#include <string>

namespace nerve::workspace {

/// What there is to say of one store without looking at its content.
struct StoreStatus {
  std::string name;  ///< path or URL, without credentials
  db::Dialect engine = db::Dialect::sqlite;
  std::uint64_t size_bytes = 0;
  std::size_t applied = 0;
  std::size_t pending = 0;
  std::string last_migration = {};  ///< "tenancy@0003", the last one applied; empty where there is none
  std::string problem = {};         ///< why the schema cannot be migrated as it is; empty where it can
};

/// Throws what Workspace::database throws.
StoreStatus describe(Workspace& workspace, Store store);

}  // namespace nerve::workspace
