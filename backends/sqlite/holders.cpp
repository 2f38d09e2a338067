// SPDX-License-Identifier: Apache-2.0
#include "sqlite/descriptor.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>

namespace nerve::sqlite {

namespace {

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

enum class Finding : std::uint8_t { nothing, has_it_open, unreadable };

std::vector<FileIdentity> identities_of(const std::filesystem::path& database) {
  std::vector<FileIdentity> identities;
  const auto path = read_file_facts(database).path;
  for (const std::string_view suffix : {"", "-wal", "-shm"}) {
    struct stat status {};
    if (::stat(companion(path, suffix).c_str(), &status) == 0) {
      identities.push_back({status.st_dev, status.st_ino});
    }
  }
  return identities;
}

/// Looks through the descriptors of one process. A process that ends meanwhile has nothing open.
Finding look_through(const std::string& folder_path, const std::vector<FileIdentity>& wanted) {
  const Folder folder(::opendir(folder_path.c_str()), &::closedir);
  if (!folder) return errno == ENOENT || errno == ESRCH ? Finding::nothing : Finding::unreadable;
  while (const dirent* entry = ::readdir(folder.get())) {
    struct stat status {};
    if (entry->d_name[0] == '.' || ::fstatat(::dirfd(folder.get()), entry->d_name, &status, 0) != 0) continue;
    if (std::ranges::find(wanted, FileIdentity{status.st_dev, status.st_ino}) != wanted.end()) {
      return Finding::has_it_open;
    }
  }
  return Finding::nothing;
}

std::string command_of(const std::string& process_path) {
  std::ifstream file(process_path + "/comm");
  std::string command;
  std::getline(file, command);
  return command.empty() ? "?" : sanitize_for_terminal(command);
}

}  // namespace

Holders find_holders(const std::filesystem::path& database) {
  Holders holders;
  const auto wanted = identities_of(database);
  const Folder processes(::opendir("/proc"), &::closedir);
  // A bare folder named /proc, as in a chroot, has no entry for this process.
  if (!processes || ::access("/proc/self/fd", R_OK | X_OK) != 0) return holders;
  holders.is_scanned = true;
  if (wanted.empty()) return holders;
  while (const dirent* entry = ::readdir(processes.get())) {
    ::pid_t pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, pid).ptr != end || pid <= 0 || pid == ::getpid()) continue;
    const std::string path = std::string("/proc/") + entry->d_name;
    const Finding finding = look_through(path + "/fd", wanted);
    if (finding == Finding::has_it_open) holders.processes.push_back({pid, command_of(path)});
    if (finding == Finding::unreadable) ++holders.unreadable;
  }
  std::ranges::sort(holders.processes, {}, &Holder::pid);
  return holders;
}

std::string Holders::describe() const {
  std::vector<std::string> names;
  for (const Holder& holder : processes) {
    names.push_back(holder.command + " (pid " + std::to_string(holder.pid) + ")");
  }
  return list_names(names);
}

}  // namespace nerve::sqlite
