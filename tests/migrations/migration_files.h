// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/migration_set.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace nerve::test {

/// Migrations of the module "app" as texts, numbered from 1: `{name, text}`.
inline migrations::MigrationSet migration_set(const std::vector<std::pair<std::string, std::string>>& files,
                                              migrations::Dialects dialects = migrations::every_dialect) {
  std::vector<migrations::Migration> parsed;
  for (const auto& [name, text] : files) {
    const std::string number = std::to_string(parsed.size() + 1);
    const std::string file = fmt::format("{:0>4}_{}.sql", number, name);
    parsed.push_back(migrations::parse_migration("app", file, "app/" + file, text, dialects));
  }
  return {std::move(parsed), {}};
}

/// A migration that makes a table of two columns and takes it away again.
inline std::string table_migration(const std::string& table, const std::string& headers = {}) {
  return headers + "-- migrate:up\nCREATE TABLE " + table +
         " (id {{num}} NOT NULL PRIMARY KEY, body {{text}}) {{strict}};\n" + "-- migrate:down\nDROP TABLE " +
         table + ";\n";
}

}  // namespace nerve::test
