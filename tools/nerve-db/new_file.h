// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace nerve::cli {

/// Who may read a new file.
enum class NewFileAccess : std::uint8_t { all, owner };

/// Writes a file that was not there before. Throws ConflictError where it was, and DeniedError.
void make_new_file(const std::filesystem::path& path, const std::string& text,
                   NewFileAccess access = NewFileAccess::all);

}  // namespace nerve::cli
