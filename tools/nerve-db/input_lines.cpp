// SPDX-License-Identifier: Apache-2.0
#include "input_lines.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace nerve::cli {

namespace {

constexpr std::size_t block_size_bytes = 65'536;
constexpr std::string_view standard_input = "-";

}  // namespace

InputLines::InputLines(const std::string& path, std::size_t line_size_bytes_max)
    : name_(path == standard_input ? "standard input" : path),
      descriptor_(path == standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      line_size_bytes_max_(line_size_bytes_max),
      block_(block_size_bytes) {
  if (descriptor_ < 0) refuse(errno);
}

InputLines::~InputLines() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

std::optional<InputLines::Line> InputLines::next() {
  line_.clear();
  bool is_whole = true;
  bool is_begun = false;
  while (!unread_.empty() || fill()) {
    is_begun = true;
    const std::size_t end = unread_.find('\n');
    const std::string_view part = unread_.substr(0, end);
    const std::size_t room = line_size_bytes_max_ - line_.size();
    is_whole = is_whole && part.size() <= room;
    line_.append(part.substr(0, room));
    unread_.remove_prefix(std::min(unread_.size(), part.size() + 1));
    if (end != std::string_view::npos) break;
  }
  if (!is_begun) return std::nullopt;
  ++number_;
  if (is_whole && line_.ends_with('\r')) line_.pop_back();
  return Line{line_, is_whole};
}

std::string InputLines::rest(std::size_t size_bytes_max) {
  std::string text;
  while (!unread_.empty() || fill()) {
    if (text.size() + unread_.size() > size_bytes_max) {
      throw ValidationError(fmt::format("{} is larger than {}", name_, format_size(size_bytes_max)),
                            "Give it in parts.");
    }
    text += unread_;
    unread_ = {};
  }
  return text;
}

/// Reads with read(2), which a signal ends: the streams of the library would go on waiting.
bool InputLines::fill() {
  while (true) {
    const ssize_t count = ::read(descriptor_, block_.data(), block_.size());
    const int error_number = errno;
    throw_if_interrupted();
    if (count >= 0) {
      unread_ = std::string_view(block_.data(), static_cast<std::size_t>(count));
      return count > 0;
    }
    if (error_number != EINTR) refuse(error_number);
  }
}

void InputLines::refuse(int error_number) const {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      throw NotFoundError("there is no file " + name_, "Check the path.");
    case EACCES:
    case EPERM:
      throw DeniedError("cannot read " + name_, "Run it as a user who may read the file.");
    case EISDIR:
      throw ValidationError(name_ + " is a folder, not a file", "Name a file in it.");
    default:
      throw Error(ErrorKind::failure,
                  fmt::format("cannot read {}: {}", name_, std::generic_category().message(error_number)));
  }
}

}  // namespace nerve::cli
