// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"
#include "nerve/db/connection.h"

#include <filesystem>
#include <memory>

namespace nerve::backends {

/// Connections to the SQLite file at `path`, which is made (0600) where it is missing and `options.create` is
/// set.
std::unique_ptr<db::ConnectionSource> make_sqlite_source(const std::filesystem::path& path,
                                                         const OpenOptions& options);

/// Each connection of it is a database of its own, in memory: for a pool of one.
std::unique_ptr<db::ConnectionSource> make_memory_source();

}  // namespace nerve::backends
