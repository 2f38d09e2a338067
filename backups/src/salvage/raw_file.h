// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "durable_file.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

namespace nerve::backups::salvage {

/// A file that is only ever read, piece by piece, without SQLite and its locks.
class RawFile {
 public:
  /// Throws what throw_system_error() throws; a symbolic link is refused.
  explicit RawFile(const std::filesystem::path& path);
  /// Nothing where there is no such file.
  static std::optional<RawFile> open_if_there(const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint64_t size_bytes() const noexcept { return size_bytes_; }

  /// Fills `bytes` from `offset` on. False where the file ends before, and where the device cannot read it: a
  /// failing disk loses those bytes and no others.
  bool read(std::uint64_t offset, std::span<std::byte> bytes) const;

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace nerve::backups::salvage
