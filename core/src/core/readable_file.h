// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace nerve {

/// A file opened for reading, closed when it goes out of scope. Opening never blocks, not even on a named
/// pipe.
///
/// `kind` begins its name in messages ("secret file"). Opening throws NotFoundError, DeniedError or Error; so
/// does reading, for what the system reports then.
class ReadableFile {
 public:
  ReadableFile(std::string kind, const std::filesystem::path& path);
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;
  ~ReadableFile();

  /// The kind and the path in quotes.
  const std::string& name() const noexcept { return name_; }
  int descriptor() const noexcept { return descriptor_; }

  struct stat status() const;
  /// The next bytes, as many as came; 0 at the end.
  std::size_t read_some(std::span<std::byte> into) const;

 private:
  [[noreturn]] void refuse(int error_number) const;

  std::string name_;
  int descriptor_;
};

}  // namespace nerve
