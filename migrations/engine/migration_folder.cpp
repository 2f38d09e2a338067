// SPDX-License-Identifier: Apache-2.0
// Reads migrations from a user's folder.
#include "nerve/core/error.h"
#include "nerve/db/identifier.h"
#include "nerve/migrations/migration_set.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace nerve::migrations {

namespace {

/// Reads at most one byte more than a migration may have, so that one that is too long is told as such.
std::string read_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  const bool is_open = descriptor >= 0 && ::fstat(descriptor, &status) == 0;
  std::string content(
      is_open ? std::min<std::size_t>(static_cast<std::size_t>(status.st_size), Migration::size_bytes_max) + 1
              : 0,
      ' ');
  std::size_t size = 0;
  ssize_t count = is_open ? 1 : -1;
  while (count > 0 && size < content.size()) {
    count = ::read(descriptor, content.data() + size, content.size() - size);
    if (count > 0) size += static_cast<std::size_t>(count);
  }
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (count < 0) {
    throw DeniedError(fmt::format("cannot read {}: {}", path.string(), std::strerror(error)),
                      "Give this user the right to read it.");
  }
  content.resize(size);
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

bool is_migration(const std::filesystem::directory_entry& entry) {
  const std::filesystem::path& path = entry.path();
  return path.extension() == ".sql" && path.native()[path.native().rfind('/') + 1] != '.' &&
         entry.is_regular_file();
}

void read_migrations(const std::vector<std::filesystem::directory_entry>& entries, std::string_view module,
                     Dialects dialects, std::vector<Migration>& migrations) {
  for (const auto& entry : entries) {
    if (!is_migration(entry)) continue;
    const std::filesystem::path& path = entry.path();
    migrations.push_back(
        parse_migration(module, path.filename().native(), path.native(), read_file(path), dialects));
  }
}

}  // namespace

MigrationSet MigrationSet::from_folder(const std::filesystem::path& folder, Dialects dialects) {
  std::vector<Migration> migrations;
  const auto entries = entries_of(folder);
  read_migrations(entries, own_module, dialects, migrations);
  for (const auto& entry : entries) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    const std::size_t before = migrations.size();
    read_migrations(entries_of(entry.path()), name, dialects, migrations);
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
