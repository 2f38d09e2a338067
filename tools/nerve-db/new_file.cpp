// SPDX-License-Identifier: Apache-2.0
#include "new_file.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nerve::cli {

void make_new_file(const std::filesystem::path& path, const std::string& text) {
  constexpr mode_t readable = 0644;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, readable);
  const bool is_written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (is_written) return;
  throw DeniedError(fmt::format("cannot make {}: {}", path.string(), std::strerror(error)),
                    "Give this user the right to write into the folder.");
}

}  // namespace nerve::cli
