// SPDX-License-Identifier: Apache-2.0
#include "readable_file.h"

#include "nerve/core/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace nerve {

ReadableFile::ReadableFile(std::string kind, const std::filesystem::path& path)
    : name_(std::move(kind) + " '" + path.string() + "'"),
      descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) refuse(errno);
}

ReadableFile::~ReadableFile() {
  close(descriptor_);
}

struct stat ReadableFile::status() const {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) refuse(errno);
  return status;
}

std::size_t ReadableFile::read_some(std::span<std::byte> into) const {
  while (true) {
    const ssize_t count = read(descriptor_, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) refuse(errno);
  }
}

void ReadableFile::refuse(int error_number) const {
  if (error_number == ENOENT || error_number == ENOTDIR) {
    throw NotFoundError(name_ + " does not exist", "Check the path.");
  }
  const std::string message = "cannot read " + name_ + ": " + std::generic_category().message(error_number);
  if (error_number == EACCES || error_number == EPERM) {
    throw DeniedError(message, "Run it as a user who may read the file.");
  }
  throw Error(ErrorKind::failure, message);
}

}  // namespace nerve
