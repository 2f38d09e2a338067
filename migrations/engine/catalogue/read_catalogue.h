// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/catalogue.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

/// Tables that are no part of the schema, as the engine spells them.
using LeftOut = std::set<std::string, std::less<>>;

/// Both leave the order of the objects to their caller.
Catalogue read_sqlite_catalogue(db::Transaction& transaction, const LeftOut& left_out);
Catalogue read_postgresql_catalogue(db::Transaction& transaction, const LeftOut& left_out);

/// The columns and expressions of a CREATE INDEX, names without quotes.
std::vector<std::string> index_keys(std::string_view definition, db::Dialect dialect);

/// `name` in lower case as SQLite folds names: ASCII only.
std::string folded(std::string_view name);

}  // namespace nerve::migrations
