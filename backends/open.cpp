// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/open.h"

#include "postgresql/scratch.h"
#include "postgresql/source.h"
#include "sqlite/source.h"

#include "nerve/backends/database_url.h"

namespace nerve {

std::unique_ptr<db::Database> open_database(std::string_view url, const OpenOptions& options) {
  const auto make = [&](std::unique_ptr<db::ConnectionSource> source) {
    return std::make_unique<db::Database>(std::move(source), options.database);
  };
  const DatabaseUrl parsed = parse_database_url(url);
  if (parsed.engine == db::Dialect::postgresql) {
    return make(backends::make_postgresql_source(parsed.location, options));
  }
  return make(backends::make_sqlite_source(parsed.location, options));
}

std::unique_ptr<db::Database> open_scratch_database() {
  db::DatabaseOptions options;
  options.pool_size = 1;
  return std::make_unique<db::Database>(backends::make_memory_source(), options);
}

std::unique_ptr<db::Database> open_scratch_database(std::string_view url, const OpenOptions& options) {
  const DatabaseUrl parsed = parse_database_url(url);
  if (parsed.engine == db::Dialect::sqlite) return open_scratch_database();
  return std::make_unique<db::Database>(backends::make_scratch_source(parsed.location, options),
                                        options.database);
}

}  // namespace nerve
