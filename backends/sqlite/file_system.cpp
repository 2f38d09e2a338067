// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/file_system.h"

#include "nerve/core/error.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace nerve::sqlite {

namespace {

// statfs(2) and linux/magic.h, as numbers: not every libc's headers know them all.
constexpr std::uint64_t fuse_magic = 0x65735546;
constexpr std::array<std::uint64_t, 16> network_magics = {
    0x6969,      // NFS
    0x517B,      // SMB
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB2
    0x01021997,  // 9p: WSL, virtual machines
    0x00C36400,  // Ceph
    0x5346414F,  // AFS (OpenAFS)
    0x6B414653,  // AFS (kAFS)
    0x73757245,  // Coda
    0x564C,      // NCP
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x7461636F,  // OCFS2
    0x01161970,  // GFS2
    0x786F4256,  // VirtualBox shared folder
    0xBACBACBC,  // VMware shared folder
};

/// Mounts in user space that lead to another machine or to an object store.
constexpr std::array<std::string_view, 18> network_mounts = {
    "sshfs",    "glusterfs", "s3fs",      "rclone",    "goofys",   "gcsfuse",
    "davfs",    "davfs2",    "curlftpfs", "ceph",      "moosefs",  "juicefs",
    "smbnetfs", "hubicfuse", "blobfuse",  "blobfuse2", "mount-s3", "seaweedfs"};

std::uint32_t magic_of(const struct statfs& status) noexcept {
  return static_cast<std::uint32_t>(status.f_type);  // signed and wider on some machines
}

/// One line of /proc/self/mountinfo (proc(5)): "… MAJOR:MINOR … - TYPE …".
struct Mount {
  std::string device;
  std::string type;
};

Mount parse_mount(const std::string& line) {
  Mount mount;
  std::istringstream words(line);
  std::string word;
  words >> word >> word >> mount.device;
  while (words >> word && word != "-") continue;
  words >> mount.type;
  return mount;
}

/// The type by which the device of `path` is mounted; empty where that cannot be told.
std::string mount_type_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  const std::string device = fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    const Mount mount = parse_mount(line);
    if (mount.device == device) return mount.type;
  }
  return {};
}

bool is_network_mount(std::string_view type) {
  constexpr std::string_view prefix = "fuse.";
  if (type.starts_with(prefix)) type.remove_prefix(prefix.size());
  return std::ranges::find(network_mounts, type) != network_mounts.end();
}

}  // namespace

FileSystem classify_file_system(std::uint64_t magic, std::string_view mount_type) {
  const std::string name = mount_type.empty() ? fmt::format("{:#x}", magic) : std::string(mount_type);
  if (std::ranges::find(network_magics, magic) != network_magics.end()) {
    return {FileSystem::Kind::network, name};
  }
  if (magic != fuse_magic || mount_type == "fuseblk") return {FileSystem::Kind::local, name};
  return {is_network_mount(mount_type) ? FileSystem::Kind::network : FileSystem::Kind::user_space, name};
}

FileSystem find_file_system(const std::filesystem::path& path) {
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0) {
    throw Error(ErrorKind::failure,
                "cannot ask for the file system of " + path.string() + ": " + std::strerror(errno));
  }
  return classify_file_system(magic_of(status), mount_type_of(path));
}

}  // namespace nerve::sqlite
