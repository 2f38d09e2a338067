// SPDX-License-Identifier: Apache-2.0
// Reads migrations from a user's folder.
#include "nerve/core/error.h"
#include "nerve/db/identifier.h"
#include "nerve/migrations/migration_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

namespace nerve::migrations {

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size > Migration::size_bytes_max) return std::string(Migration::size_bytes_max + 1, ' ');
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.good() && !file.eof()) {
    throw DeniedError(fmt::format("cannot read {}", path.string()), "Give this user the right to read it.");
  }
  return content;
}

/// The entries of a folder by name, so that errors do not depend on the file system.
std::vector<std::filesystem::directory_entry> entries_of(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator iterator(folder, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) {
    throw NotFoundError(fmt::format("there is no folder {}", folder.string()),
                        "Name the folder of your migrations with --dir, or make the first one with "
                        "`nerve-db migrate new NAME --dir DIR`.");
  }
  if (error) {
    throw DeniedError(fmt::format("cannot read the folder {}: {}", folder.string(), error.message()),
                      "Give this user the right to read it.");
  }
  std::vector<std::filesystem::directory_entry> entries(begin(iterator), end(iterator));
  std::ranges::sort(entries);
  return entries;
}

void read_module(const std::filesystem::path& folder, std::string_view module, Dialects dialects,
                 std::vector<Migration>& migrations) {
  for (const auto& entry : entries_of(folder)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".sql" || path.filename().string().starts_with('.') || !entry.is_regular_file())
      continue;
    migrations.push_back(
        parse_migration(module, path.filename().string(), path.string(), read_file(path), dialects));
  }
}

}  // namespace

MigrationSet MigrationSet::from_folder(const std::filesystem::path& folder, Dialects dialects) {
  std::vector<Migration> migrations;
  read_module(folder, own_module, dialects, migrations);
  for (const auto& entry : entries_of(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name.starts_with('.')) continue;
    const std::size_t before = migrations.size();
    read_module(entry.path(), name, dialects, migrations);
    if (migrations.size() == before) continue;
    try {
      (void)db::Identifier(name);
    } catch (const ValidationError&) {
      throw ValidationError(
          fmt::format("{} holds migrations, but its name is no module's", entry.path().string()),
          "Name the folder in lower-case letters, digits and underscores.");
    }
  }
  return {std::move(migrations), {}};
}

}  // namespace nerve::migrations
