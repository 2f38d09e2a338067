// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"

#include <optional>
#include <string>
#include <string_view>

namespace nerve::migrations {

/// The words of a statement that the engine runs only outside of a transaction, such as "VACUUM" or "CREATE
/// INDEX CONCURRENTLY"; empty for any other. All of them may be run again after an abort, once what a
/// concurrent index left behind is gone.
std::string_view outside_transaction_only(std::string_view statement, db::Dialect dialect);

/// The name of the index that a CREATE INDEX CONCURRENTLY makes, as written, quotes and schema included;
/// empty where the server is to choose one; absent for any other statement.
std::optional<std::string> concurrent_index(std::string_view statement);

}  // namespace nerve::migrations
