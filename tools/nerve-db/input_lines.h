// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::cli {

/// The lines of a file or of standard input, read as they come. What is held is bounded whatever is read.
/// An interruption ends reading with CancelledError.
class InputLines {
 public:
  /// A line without its end, which is LF or CR LF. Lives until the next call.
  struct Line {
    std::string_view text;
    bool is_whole = true;  ///< false: longer than the limit, and cut there
  };

  /// `path` is that of a file, or "-" for standard input. Throws NotFoundError, DeniedError, or
  /// ValidationError for what is no file.
  InputLines(const std::string& path, std::size_t line_size_bytes_max);
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;
  ~InputLines();

  /// The path, or "standard input".
  const std::string& name() const noexcept { return name_; }
  /// Nothing at the end. Text behind the last line end is a line too.
  std::optional<Line> next();
  /// Of the line that was read last, from 1.
  std::size_t number() const noexcept { return number_; }
  /// All that follows. Throws ValidationError where it is more than so many bytes.
  std::string rest(std::size_t size_bytes_max);

 private:
  bool fill();
  [[noreturn]] void refuse(int error_number) const;

  std::string name_;
  int descriptor_;
  std::size_t line_size_bytes_max_;
  std::size_t number_ = 0;
  std::string line_;
  std::vector<char> block_;
  std::string_view unread_;  // of the block
};

}  // namespace nerve::cli
