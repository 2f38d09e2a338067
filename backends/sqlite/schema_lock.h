// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/connection.h"

#include <chrono>
#include <filesystem>
#include <memory>

namespace nerve::backends {

/// Takes the lock of Database::lock_schema: flock(2) on the folder of the database.
///
/// On the folder and not on the file, because closing a descriptor of the file would drop the locks that
/// SQLite holds on it; and on no file of its own, because that would have to be left behind or removed in a
/// race.
std::unique_ptr<db::SchemaLock> lock_folder(const std::filesystem::path& database,
                                            std::chrono::milliseconds wait);

}  // namespace nerve::backends
