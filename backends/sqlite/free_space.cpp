// SPDX-License-Identifier: Apache-2.0
#include "sqlite/free_space.h"

#include "nerve/core/error.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

namespace nerve::sqlite {

DeviceSpace measure_device(const std::filesystem::path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) {
    throw Error(ErrorKind::failure,
                "cannot ask for the free space of " + path.string() + ": " + std::strerror(errno));
  }
  return {static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize,
          static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize};
}

}  // namespace nerve::sqlite
