// SPDX-License-Identifier: Apache-2.0
#include "new_file.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nerve::cli {

void make_new_file(const std::filesystem::path& path, const std::string& text, NewFileAccess access) {
  const mode_t mode = access == NewFileAccess::owner ? 0600 : 0644;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  const ssize_t written = descriptor < 0 ? -1 : ::write(descriptor, text.data(), text.size());
  // A part is written where the disk is full.
  const int error = written < 0 ? errno : ENOSPC;
  const bool is_written = written == static_cast<ssize_t>(text.size());
  if (descriptor >= 0) ::close(descriptor);
  if (is_written) return;
  if (descriptor < 0 && error == EEXIST)
    throw ConflictError(fmt::format("{} is there already", path.string()), "Name a file that is not.");
  if (descriptor >= 0) ::unlink(path.c_str());
  throw DeniedError(
      fmt::format("cannot make {}: {}", path.string(), std::strerror(error)),
      error == ENOSPC ? "Make room on the disk." : "Give this user the right to write into the folder.");
}

}  // namespace nerve::cli
