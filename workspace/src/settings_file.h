// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace nerve::workspace {

inline constexpr std::string_view settings_name = "nerve.toml";
/// The stores where nerve.toml names no others.
inline constexpr std::string_view core_file = "nerve.db";
inline constexpr std::string_view secure_file = "nerve-secure.db";
/// What nerve.toml is called until the workspace is complete.
inline constexpr std::string_view unfinished_name = "nerve.toml.part";

/// What a new nerve.toml says.
struct NewSettings {
  Uuid id;
  std::string core_url;
  std::string secure_url;
};

/// Throws ValidationError for a URL with a control character in it.
std::string settings_text(const NewSettings& settings);

/// Puts a whole file (0600) in place, durably: after a crash it is there or not. Throws ConflictError where
/// there is one of this name, DeniedError, Error.
void write_settings(const std::filesystem::path& file, std::string_view text);

/// Renames a file within its folder, durably. Throws ConflictError where `to` exists.
void rename_settings(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace nerve::workspace
