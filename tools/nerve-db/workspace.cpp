// SPDX-License-Identifier: Apache-2.0
#include "workspace.h"

#include "nerve/core/error.h"
#include "nerve/core/shell.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace nerve::cli {

namespace {

constexpr std::string_view file_name = "nerve.toml";

Workspace open_workspace(const std::filesystem::path& folder) {
  return {folder, Config::load(folder / file_name)};
}

Workspace open_named(const std::filesystem::path& folder, std::string_view who_named_it) {
  std::error_code error;
  if (!std::filesystem::exists(folder / file_name, error)) {
    throw NotFoundError(fmt::format("there is no {} in the workspace {}", file_name, folder.string()),
                        fmt::format("Correct {}, or make the file; it may be empty.", who_named_it));
  }
  return open_workspace(folder);
}

void require_trusted_owner(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return;  // loading it says why
  if (status.st_uid == ::geteuid() || status.st_uid == 0) return;
  throw DeniedError(fmt::format("{} belongs to another user", file.string()),
                    fmt::format("If you trust it, name its folder: --workspace {}.",
                                shell_word(file.parent_path().string())));
}

std::optional<std::filesystem::path> search() {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::current_path(error);
  while (!error && !folder.empty()) {
    if (std::filesystem::exists(folder / file_name, error)) return folder;
    if (folder == folder.root_path()) break;
    folder = folder.parent_path();
    error.clear();  // a folder that may not be looked into is passed by
  }
  return std::nullopt;
}

}  // namespace

Workspace find_workspace(const std::optional<std::filesystem::path>& named) {
  if (named) return open_named(*named, "--workspace");
  const char* from_environment = std::getenv("NERVE_WORKSPACE");
  if (from_environment != nullptr && *from_environment != '\0') {
    return open_named(from_environment, "NERVE_WORKSPACE");
  }
  if (const auto folder = search()) {
    require_trusted_owner(*folder / file_name);
    return open_workspace(*folder);
  }
  return {std::nullopt, Config::defaults()};
}

}  // namespace nerve::cli
