// SPDX-License-Identifier: Apache-2.0
#include "scratch_source.h"

#include "nerve/core/error.h"

namespace nerve::cli {

migrations::ScratchSource scratch_source(Context& context, const DatabaseUrl& url,
                                         const std::optional<std::string>& named) {
  if (url.engine == db::Dialect::sqlite) {
    if (named) {
      throw ValidationError("--scratch is given, but the database is not on PostgreSQL",
                            "Leave it out: migrations of SQLite are replayed in memory.");
    }
    return [] { return open_scratch_database(); };
  }
  OpenOptions options = context.read_options();
  options.read_only = false;
  const std::string setting = context.config().text("database.scratch_url");
  const std::string place = named.value_or(setting);
  if (place.empty()) {
    return [location = url.location, options] { return open_scratch_database(location, options); };
  }
  if (parse_database_url(place).engine != db::Dialect::postgresql) {
    throw ValidationError(
        std::string(named ? "--scratch" : "database.scratch_url") + " names no database of PostgreSQL",
        "Write it as postgresql://user@host/database.");
  }
  return [place, options] { return open_database(place, options); };
}

}  // namespace nerve::cli
