// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/database.h"

#include <filesystem>
#include <functional>

namespace nerve::workspace {

/// Runs `work` with the workspace's two locks held: of the operating system on nerve.toml, for runners on
/// this machine, and on PostgreSQL of the core database, for runners on other machines. Both end with the
/// process.
void run_exclusively(const std::filesystem::path& folder, db::Database& core,
                     const std::function<void()>& work);

}  // namespace nerve::workspace
