// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/process.h"

#include <sqlite3.h>

namespace nerve::sqlite {

void settle_for_short_runs() noexcept {
  // Refused where SQLite is at work already, which then goes on as it is.
  ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  ::sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
}

}  // namespace nerve::sqlite
