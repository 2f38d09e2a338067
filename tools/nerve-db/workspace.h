// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/config.h"

#include <filesystem>
#include <optional>

namespace nerve::cli {

/// The folder with nerve.toml, and what that says; without one, no folder and the defaults.
struct Workspace {
  std::optional<std::filesystem::path> folder;
  Config config;
};

/// Finds the workspace: `named` (the option --workspace), else the environment variable NERVE_WORKSPACE, else
/// the working folder or the nearest of its parents that has a nerve.toml.
///
/// Throws NotFoundError when a folder that was named has none; DeniedError for one that was only found and
/// belongs neither to this user nor to root, because it could redirect backups; and what Config::load throws.
Workspace find_workspace(const std::optional<std::filesystem::path>& named);

}  // namespace nerve::cli
