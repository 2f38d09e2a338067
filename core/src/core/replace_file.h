// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nerve {

/// Writes `text` (mode 0600) and renames it to `path`, so that readers see the old text or the new one.
///
/// Nothing is synced: after a power failure either may be there, or an empty file. Throws DeniedError, and
/// Error of kind unavailable, both with `hint`.
void replace_file(const std::filesystem::path& path, std::string_view text, const std::string& hint);

}  // namespace nerve
