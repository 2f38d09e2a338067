// SPDX-License-Identifier: Apache-2.0
#include "scratch_file.h"

#include "file_lock.h"
#include "layout.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <string>

namespace nerve::backups {
namespace {

std::string name_prefix() {
  return fmt::format("{}look-", partial_folder_prefix);
}

void remove_dead_scratch(const std::filesystem::path& folder) {
  for (const std::string& name : file_names(folder)) {
    if (!name.starts_with(name_prefix())) continue;
    const std::filesystem::path path = folder / name;
    try {
      const Descriptor left_over = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if (try_lock_exclusive(left_over, path)) remove_if_there(path);
    } catch (const Error&) {
      continue;  // somebody else's, in a folder such as /dev/shm, or removed by its owner just now
    }
  }
}

Descriptor make_locked(const std::filesystem::path& path) {
  for (;;) {
    Descriptor file = open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    try {
      lock_exclusive(file, path);
    } catch (const Error&) {
      ::unlink(path.c_str());
      throw;
    }
    // Before it was locked, another process may have taken it for a dead one's.
    if (is_at(file, path)) return file;
  }
}

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& folder, const BackupId& id)
    : path_(folder / fmt::format("{}{}-{}", name_prefix(), id.to_string(), ::getpid())) {
  remove_dead_scratch(folder);
  file_ = make_locked(path_);
}

ScratchFile::~ScratchFile() {
  ::unlink(path_.c_str());
}

}  // namespace nerve::backups
