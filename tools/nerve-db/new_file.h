// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace nerve::cli {

/// Writes a file that was not there before. Throws DeniedError.
void make_new_file(const std::filesystem::path& path, const std::string& text);

}  // namespace nerve::cli
