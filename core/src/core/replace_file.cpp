// SPDX-License-Identifier: Apache-2.0
#include "replace_file.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nerve {

namespace {

constexpr mode_t owner_only = 0600;

[[noreturn]] void fail(int code, const std::string& what, const std::filesystem::path& path,
                       const std::string& hint) {
  const std::string message = what + " " + path.string() + ": " + std::strerror(code);
  if (code == EACCES || code == EPERM || code == EROFS) throw DeniedError(message, hint);
  throw Error(ErrorKind::unavailable, message, hint);
}

/// 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void replace_file(const std::filesystem::path& path, std::string_view text, const std::string& hint) {
  // Two processes that replace one file at once must not write into each other's.
  const std::filesystem::path next = path.string() + "." + std::to_string(::getpid()) + ".next";
  const int descriptor = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only);
  if (descriptor < 0) fail(errno, "cannot make", next, hint);
  int code = write_all(descriptor, text);
  if (::close(descriptor) != 0 && code == 0) code = errno;
  if (code != 0) {
    ::unlink(next.c_str());
    fail(code, "cannot write", next, hint);
  }
  if (::rename(next.c_str(), path.c_str()) == 0) return;
  code = errno;
  ::unlink(next.c_str());
  fail(code, "cannot replace", path, hint);
}

}  // namespace nerve
