// SPDX-License-Identifier: Apache-2.0
#include "salvage/raw_file.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace nerve::backups::salvage {

RawFile::RawFile(const std::filesystem::path& path)
    : path_(path),
      file_(open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)),
      size_bytes_(size_of(file_, path)) {}

std::optional<RawFile> RawFile::open_if_there(const std::filesystem::path& path) {
  try {
    return RawFile(path);
  } catch (const NotFoundError&) {
    return std::nullopt;
  }
}

bool RawFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  if (offset > size_bytes_ || bytes.size() > size_bytes_ - offset) return false;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ::ssize_t count = ::pread(file_.number(), bytes.data() + done, bytes.size() - done,
                                    static_cast<::off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace nerve::backups::salvage
