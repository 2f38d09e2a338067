// SPDX-License-Identifier: Apache-2.0
// Reads migrations from a user's folder.
#include "nerve/core/error.h"
#include "nerve/db/identifier.h"
#include "nerve/migrations/migration_set.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace nerve::migrations {

namespace {

/// A descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

[[noreturn]] void throw_unreadable(const std::string& what, int error) {
  throw DeniedError(fmt::format("cannot read {}: {}", what, std::strerror(error)),
                    "Give this user the right to read it.");
}

/// A folder that is open, and the names of what lies in it: by name, so that errors do not depend on the file
/// system, and without those that begin with a dot.
class Folder {
 public:
  explicit Folder(const std::string& path);

  std::string path_of(std::string_view name) const { return prefix_ + std::string(name); }
  const std::vector<std::string>& files() const noexcept { return files_; }
  const std::vector<std::string>& folders() const noexcept { return folders_; }

  /// The content of a file, which lies in `buffer`: at most one byte more than a migration may have, so that
  /// one that is too long is told as such.
  std::string_view read(const std::string& name, std::string& buffer) const;

 private:
  mode_t kind_of(const dirent& entry) const;

  std::string prefix_;  ///< with the slash
  std::unique_ptr<DIR, int (*)(DIR*)> stream_{nullptr, &::closedir};
  std::vector<std::string> files_;  ///< regular files that end in .sql
  std::vector<std::string> folders_;
};

Folder::Folder(const std::string& path)
    : prefix_(path.ends_with('/') ? path : path + '/'), stream_(::opendir(path.c_str()), &::closedir) {
  if (!stream_ && (errno == ENOENT || errno == ENOTDIR)) {
    throw NotFoundError(fmt::format("there is no folder {}", path),
                        "Name the folder of your migrations with --dir, or make the first one with "
                        "`nerve-db migrate new NAME --dir DIR`.");
  }
  if (!stream_) throw_unreadable("the folder " + path, errno);
  errno = 0;
  while (const dirent* entry = ::readdir(stream_.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.')) {
      const mode_t kind = kind_of(*entry);
      if (S_ISDIR(kind)) folders_.emplace_back(name);
      if (S_ISREG(kind) && name.ends_with(".sql")) files_.emplace_back(name);
    }
    errno = 0;
  }
  if (errno != 0) throw_unreadable("the folder " + path, errno);
  std::ranges::sort(files_);
  std::ranges::sort(folders_);
}

/// What a name stands for, behind a symbolic link too; 0 where nothing is there.
mode_t Folder::kind_of(const dirent& entry) const {
  if (entry.d_type == DT_REG) return S_IFREG;
  if (entry.d_type == DT_DIR) return S_IFDIR;
  struct stat status {};
  if (::fstatat(::dirfd(stream_.get()), entry.d_name, &status, 0) == 0) return status.st_mode;
  if (errno != ENOENT) throw_unreadable(path_of(entry.d_name), errno);
  return 0;
}

std::string_view Folder::read(const std::string& name, std::string& buffer) const {
  constexpr std::size_t first_bytes = std::size_t{8} * 1024;
  constexpr std::size_t size_max = Migration::size_bytes_max + 1;
  const Descriptor file(::openat(::dirfd(stream_.get()), name.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) throw_unreadable(path_of(name), errno);
  std::size_t size = 0;
  while (size < size_max) {
    if (size == buffer.size()) buffer.resize(std::max(first_bytes, 2 * size));
    const std::size_t wanted = std::min(buffer.size(), size_max) - size;
    const ssize_t count = ::read(file.number(), buffer.data() + size, wanted);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_unreadable(path_of(name), errno);
    size += static_cast<std::size_t>(count);
    if (static_cast<std::size_t>(count) < wanted) break;  // only its end makes a regular file give less
  }
  return std::string_view(buffer).substr(0, size);
}

void read_migrations(const Folder& folder, std::string_view module, Dialects dialects,
                     std::vector<Migration>& migrations) {
  std::string buffer;
  migrations.reserve(migrations.size() + folder.files().size());
  for (const std::string& name : folder.files()) {
    migrations.push_back(
        parse_migration(module, name, folder.path_of(name), folder.read(name, buffer), dialects));
  }
}

}  // namespace

MigrationSet MigrationSet::from_folder(const std::filesystem::path& folder, Dialects dialects) {
  std::vector<Migration> migrations;
  const Folder own(folder.native());
  read_migrations(own, own_module, dialects, migrations);
  for (const std::string& name : own.folders()) {
    const std::string path = own.path_of(name);
    const std::size_t before = migrations.size();
    read_migrations(Folder(path), name, dialects, migrations);
    if (migrations.size() == before) continue;
    try {
      (void)db::Identifier(name);
    } catch (const ValidationError&) {
      throw ValidationError(fmt::format("{} holds migrations, but its name is no module's", path),
                            "Name the folder in lower-case letters, digits and underscores.");
    }
  }
  return {std::move(migrations), {}};
}

}  // namespace nerve::migrations
