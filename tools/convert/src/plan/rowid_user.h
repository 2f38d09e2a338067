// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/source_schema.h"

#include <string>
#include <vector>

namespace nerve::convert {

/// The module of a CREATE VIRTUAL TABLE, in lower case; empty where the definition, which anybody may have
/// written into the schema, is none.
std::string module_of(const std::string& definition);

/// What needs the rowids of a table that has no INTEGER PRIMARY KEY: a full-text table whose texts it holds
/// (`content='docs'`), a view that speaks of them, or a trigger that may store them elsewhere. Empty where
/// nothing does, or they are a column anyhow.
std::string find_rowid_user(const SourceTable& table, const std::vector<SchemaEntry>& entries);

}  // namespace nerve::convert
