// SPDX-License-Identifier: Apache-2.0
#include "target_path.h"

#include "durable_file.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/error.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace nerve::backups {
namespace {

constexpr std::array<std::string_view, 3> companion_suffixes = {"-wal", "-shm", "-journal"};

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return false;
  if (error) throw_system_error(error.value(), "cannot look at", path);
  return true;
}

}  // namespace

void require_free_name(const std::filesystem::path& path, const std::string& hint) {
  if (is_there(path)) {
    throw ConflictError(fmt::format("{} exists already", path.string()), hint);
  }
  for (const std::string_view suffix : companion_suffixes) {
    const std::filesystem::path companion = sqlite::companion(path, suffix);
    if (is_there(companion)) {
      // SQLite would read the transactions of another database from it.
      throw ConflictError(
          fmt::format("{} exists already and belongs to another database", companion.string()),
          "Give another name, or move that file away.");
    }
  }
}

void require_writable_folder(const std::filesystem::path& folder, const std::string& hint) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    throw NotFoundError(fmt::format("there is no folder {}", folder.string()),
                        "Make it first, or choose another.");
  }
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
  const int code = errno;
  throw DeniedError(
      fmt::format("cannot write in the folder {}: {}", folder.string(), std::system_category().message(code)),
      hint);
}

std::filesystem::path resolve_target(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return std::filesystem::canonical(path, error);
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) {
    throw ConflictError(fmt::format("{} is a symbolic link to a file that is missing", path.string()),
                        "Remove the link, or name the file that it should lead to.");
  }
  const std::filesystem::path absolute = std::filesystem::absolute(path).lexically_normal();
  return std::filesystem::weakly_canonical(absolute.parent_path(), error) / absolute.filename();
}

}  // namespace nerve::backups
