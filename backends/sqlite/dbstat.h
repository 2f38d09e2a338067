// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"

#include <functional>
#include <string>

/// The dbstat table, which shows the pages of each b-tree (https://www.sqlite.org/dbstat.html). Not every
/// build of SQLite has it.
namespace nerve::sqlite {

bool has_dbstat(Session& session);

/// As Session::each(), for a query on dbstat alone. A page number beyond the end of the file, which dbstat
/// follows unchecked and SQLite then takes for a want of space, is an IntegrityError here.
void each_in_dbstat(Session& session, const std::string& sql, const std::function<void(const Row&)>& on_row);

}  // namespace nerve::sqlite
