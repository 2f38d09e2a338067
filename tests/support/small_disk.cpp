// SPDX-License-Identifier: Apache-2.0
#include "support/small_disk.h"

#include "support/system_error.h"
#include "support/temp_folder.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <fstream>
#include <utility>

namespace nerve::test {
namespace {

/// The user stays what it is, and may mount inside.
bool enter_user_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << user << ' ' << user << " 1";
  std::ofstream("/proc/self/gid_map") << group << ' ' << group << " 1";
  return ::geteuid() == user;
}

bool enter_namespace() {
  static const bool is_inside = [] {
    if (::geteuid() == 0 ? ::unshare(CLONE_NEWNS) != 0 : !enter_user_namespace()) return false;
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }();
  return is_inside;
}

}  // namespace

std::string SmallDisk::why_impossible() {
  if (!enter_namespace()) return "mounts cannot be kept to this process";
  try {
    const TempFolder folder;
    const SmallDisk disk(folder.path(), std::uint64_t{1} << 20U);
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

SmallDisk::SmallDisk(std::filesystem::path folder, std::uint64_t size_bytes) : folder_(std::move(folder)) {
  struct stat facts {};
  if (::stat(folder_.c_str(), &facts) != 0) throw_errno("cannot look at " + folder_.string());
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%03o", facts.st_mode & 0777U);
  ownership_ =
      "uid=" + std::to_string(facts.st_uid) + ",gid=" + std::to_string(facts.st_gid) + ",mode=" + mode.data();
  const std::string options = ownership_ + ",size=" + std::to_string(size_bytes);
  if (::mount("tmpfs", folder_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    throw_errno("cannot mount a file system on " + folder_.string());
}

SmallDisk::~SmallDisk() {
  if (::umount2(folder_.c_str(), 0) != 0) ::umount2(folder_.c_str(), MNT_DETACH);
}

void SmallDisk::leave_free(std::uint64_t bytes) const {
  struct statvfs facts {};
  if (::statvfs(folder_.c_str(), &facts) != 0) throw_errno("cannot look at " + folder_.string());
  const std::uint64_t used = std::uint64_t{facts.f_blocks - facts.f_bfree} * facts.f_frsize;
  const std::string options = ownership_ + ",size=" + std::to_string(used + bytes);
  if (::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    throw_errno("cannot resize the file system on " + folder_.string());
}

}  // namespace nerve::test
