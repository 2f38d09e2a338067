// SPDX-License-Identifier: Apache-2.0
#include "staged_file.h"

#include "file_lock.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

namespace nerve::backups {
namespace {

constexpr int opening_attempts_max = 3;

std::filesystem::path staged_path(const std::filesystem::path& target) {
  return target.parent_path() / fmt::format(".{}.nerve-restore", target.filename().string());
}

[[noreturn]] void throw_other_restore(const std::filesystem::path& path) {
  throw ConflictError(fmt::format("another restore or salvage is writing {}", path.string()),
                      "Wait until it is done.");
}

/// Removes a left-over. A file that is locked belongs to a restore or salvage at work.
void remove_dead(const std::filesystem::path& path) {
  try {
    const Descriptor left_over = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!try_lock_exclusive(left_over, path)) throw_other_restore(path);
    remove_if_there(path);
  } catch (const NotFoundError&) {
    // The other restore has just finished with it.
    return;
  }
}

/// Never opens a file that is there already: whoever made it could read or write what we put in.
Descriptor open_and_lock(const std::filesystem::path& path) {
  for (int attempt = 0; attempt < opening_attempts_max; ++attempt) {
    try {
      Descriptor file = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
      if (try_lock_exclusive(file, path) && is_at(file, path)) return file;
    } catch (const ConflictError&) {
      remove_dead(path);
    }
  }
  throw_other_restore(path);
}

void rename_to(const std::filesystem::path& from, const std::filesystem::path& to, bool may_replace) {
  const unsigned int flags = may_replace ? 0U : static_cast<unsigned int>(RENAME_NOREPLACE);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return;
  int code = errno;
  if (code == EINVAL && !may_replace) {
    // Some network file systems cannot rename on that condition; there a look beforehand must do.
    struct stat ignored {};
    if (::lstat(to.c_str(), &ignored) == 0) throw_system_error(EEXIST, "cannot put the new database at", to);
    if (::rename(from.c_str(), to.c_str()) == 0) return;
    code = errno;
  }
  throw_system_error(code, "cannot put the new database at", to);
}

}  // namespace

StagedFile::StagedFile(const std::filesystem::path& target)
    : target_(target), path_(staged_path(target)), file_(open_and_lock(path_)) {}

StagedFile::~StagedFile() {
  // What cannot be removed now is removed by the next restore of this database.
  if (!is_in_place_) ::unlink(path_.c_str());
}

std::optional<std::string> StagedFile::take_ownership_of(const TargetState& replaced) {
  std::optional<std::string> note;
  ::mode_t mode = replaced.mode;
  if (::fchown(file_.number(), replaced.owner, replaced.group) != 0) {
    note = fmt::format("the owner of {} could not be kept; it now belongs to user {}", target_.string(),
                       ::geteuid());
    const bool is_group_kept = ::fchown(file_.number(), static_cast<::uid_t>(-1), replaced.group) == 0;
    // What the old group was allowed must not pass to another one.
    if (!is_group_kept) mode &= ~static_cast<::mode_t>(S_IRWXG);
  }
  if (::fchmod(file_.number(), mode) != 0) throw_system_error(errno, "cannot set the mode of", path_);
  return note;
}

void StagedFile::narrow_to(std::string_view mode) {
  unsigned int granted = 0;
  const auto read = std::from_chars(mode.data(), mode.data() + mode.size(), granted, 8);
  if (mode.empty() || read.ec != std::errc() || read.ptr != mode.data() + mode.size()) return;
  // Without the right to read it, nobody could say whether it is what the backup holds.
  const auto narrow = static_cast<::mode_t>((granted & (S_IRUSR | S_IWUSR)) | S_IRUSR);
  if (::fchmod(file_.number(), narrow) != 0) throw_system_error(errno, "cannot set the mode of", path_);
}

void StagedFile::put_in_place(bool may_replace) {
  rename_to(path_, target_, may_replace);
  is_in_place_ = true;
  sync_folder(target_.parent_path());
}

}  // namespace nerve::backups
