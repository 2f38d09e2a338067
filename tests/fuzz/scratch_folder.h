// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace nerve::fuzz {

/// A folder that is gone when the program ends; in memory where the machine has such a place, since thousands
/// of inputs are written to it one after the other.
const std::filesystem::path& scratch_folder();

/// A new folder in it.
std::filesystem::path make_folder(std::string_view name);

/// Writes a file anew.
void put_file(const std::filesystem::path& path, std::string_view content);

}  // namespace nerve::fuzz
