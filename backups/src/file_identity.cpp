// SPDX-License-Identifier: Apache-2.0
#include "file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>

namespace nerve::backups {

std::optional<FileIdentity> identity_of(const std::filesystem::path& path) {
  constexpr std::int64_t ns_per_second = 1'000'000'000;
  struct statx status {};
  if (::statx(AT_FDCWD, path.c_str(), AT_STATX_SYNC_AS_STAT, STATX_INO | STATX_BTIME, &status) != 0) {
    return std::nullopt;
  }
  FileIdentity identity{status.stx_ino, 0};
  // Without the time of birth an inode that is used again would pass for the file that had it before.
  if ((status.stx_mask & STATX_BTIME) != 0) {
    identity.born_at_ns = status.stx_btime.tv_sec * ns_per_second + status.stx_btime.tv_nsec;
  }
  return identity;
}

}  // namespace nerve::backups
