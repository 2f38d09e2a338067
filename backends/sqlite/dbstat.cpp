// SPDX-License-Identifier: Apache-2.0
#include "sqlite/dbstat.h"

#include "sqlite/remedies.h"

#include "nerve/core/error.h"

namespace nerve::sqlite {

bool has_dbstat(Session& session) {
  return !session.prepare_error("SELECT name FROM dbstat");
}

void each_in_dbstat(Session& session, const std::string& sql, const std::function<void(const Row&)>& on_row) {
  try {
    session.each(sql, on_row);
  } catch (const DatabaseError& error) {
    if (error.code() != "SQLITE_FULL") throw;
    throw IntegrityError("a page of " + session.path().string() + " refers to one beyond the end of the file",
                         restore_hint(session.path()));
  }
}

}  // namespace nerve::sqlite
