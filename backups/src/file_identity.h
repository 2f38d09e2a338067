// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"

#include <filesystem>
#include <optional>

namespace nerve::backups {

/// By what the file at `path` is known again; absent where there is none.
std::optional<FileIdentity> identity_of(const std::filesystem::path& path);

}  // namespace nerve::backups
