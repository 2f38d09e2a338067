// SPDX-License-Identifier: Apache-2.0
#include "repository_file.h"

#include "layout.h"

#include "nerve/core/interrupt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace nerve::backups {
namespace {

constexpr std::array names_in_repository = {marker_file_name, partial_marker_file_name, catalogue_file_name,
                                            copies_file_name, schedule_file_name};

std::string_view kind_of(::mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a file";
    case S_IFDIR:
      return "a folder";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

[[noreturn]] void refuse(const std::filesystem::path& path, ::mode_t mode, std::string_view wanted) {
  throw DamagedRepositoryError(
      fmt::format("{} is {}, not {}", path.string(), kind_of(mode), wanted),
      "Somebody put it in the place of what belongs to the backup repository: find out who, "
      "and move it away.");
}

bool looks_like_id(const std::string& name) {
  return name.size() == Uuid::text_length && name.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

/// Whether a path stands in the folder of the repository itself, and not in that of a backup.
bool is_in_repository_itself(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const std::string folder = path.parent_path().filename().string();
  // Both have a file of this name.
  if (name == recovery_file_name) return !looks_like_id(folder) && !folder.starts_with(partial_folder_prefix);
  return looks_like_id(name) || name.starts_with(proof_file_prefix) ||
         name.starts_with(partial_folder_prefix) ||
         std::ranges::find(names_in_repository, std::string_view(name)) != names_in_repository.end();
}

struct stat status_of(const Descriptor& folder, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstatat(folder.number(), path.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw_system_error(errno, "cannot look at", path);
  }
  return status;
}

void require_regular(const struct stat& status, const std::filesystem::path& path) {
  if (!S_ISREG(status.st_mode)) refuse(path, status.st_mode, "a file");
}

/// What open(2) says of a link, a socket or a folder (ELOOP, ENXIO, EISDIR) is said in plain words.
[[noreturn]] void throw_cannot_open(int code, const Descriptor& folder, const std::filesystem::path& path) {
  struct stat status {};
  // What was to be made and is not there tells nothing: the error itself does.
  const bool is_there =
      ::fstatat(folder.number(), path.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && code != EEXIST) require_regular(status, path);
  throw_system_error(code, "cannot open", path);
}

}  // namespace

Descriptor open_folder_of(const std::filesystem::path& path, int flags) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int following = is_in_repository_itself(path) ? 0 : O_NOFOLLOW;
  const int number = ::open(folder.c_str(), flags | following | O_DIRECTORY | O_CLOEXEC);
  if (number >= 0) return Descriptor(number);
  const int code = errno;
  struct stat status {};
  if ((code == ENOTDIR || code == ELOOP) && ::lstat(folder.c_str(), &status) == 0 &&
      !S_ISDIR(status.st_mode)) {
    refuse(folder, status.st_mode, "a folder");
  }
  throw_system_error(code, "cannot open", path);
}

Descriptor open_repository_file(const std::filesystem::path& path, int flags, ::mode_t mode) {
  return open_repository_file(open_folder_of(path, O_PATH), path, flags, mode);
}

Descriptor open_repository_file(const Descriptor& folder, const std::filesystem::path& path, int flags,
                                ::mode_t mode) {
  const std::string name = path.filename().string();
  int number = -1;
  while (number < 0) {
    number =
        ::openat(folder.number(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
    if (number < 0 && errno != EINTR) throw_cannot_open(errno, folder, path);
    if (number < 0) throw_if_interrupted();
  }
  Descriptor file(number);
  struct stat status {};
  if (::fstat(number, &status) != 0) throw_system_error(errno, "cannot look at", path);
  require_regular(status, path);
  return file;
}

std::uint64_t repository_file_bytes(const std::filesystem::path& path) {
  return repository_file_bytes(open_folder_of(path, O_PATH), path);
}

std::uint64_t repository_file_bytes(const Descriptor& folder, const std::filesystem::path& path) {
  const struct stat status = status_of(folder, path);
  require_regular(status, path);
  return static_cast<std::uint64_t>(status.st_size);
}

bool has_name(const Descriptor& folder, std::string_view name) {
  struct stat status {};
  const std::string text(name);
  return ::fstatat(folder.number(), text.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

void require_one_name(const Descriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) throw_system_error(errno, "cannot look at", path);
  if (status.st_nlink <= 1) return;
  throw DamagedRepositoryError(
      fmt::format("{} has a second name, and what is written to it would change that file, "
                  "too",
                  path.string()),
      "Find out which file it is (find -samefile), and move this name of it away.");
}

void remove_repository_file(const std::filesystem::path& path) {
  const Descriptor folder = open_folder_of(path, O_PATH);
  if (::unlinkat(folder.number(), path.filename().c_str(), 0) != 0 && errno != ENOENT) {
    throw_system_error(errno, "cannot remove", path);
  }
}

}  // namespace nerve::backups
