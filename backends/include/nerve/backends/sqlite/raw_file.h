// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace nerve::sqlite {

/// The bytes of a database file as they lie there, also while this process has the database open.
///
/// Whoever closes any descriptor of a file gives up all POSIX locks of his process on it, those of SQLite's
/// connections included. So it is SQLite that opens and closes this one, too: it keeps the descriptor until
/// its locks are gone. Nothing is locked, so that what is read may be half written.
class RawFile {
 public:
  /// Throws NotFoundError, DeniedError, or Error where it cannot be opened. The path is of a regular file.
  explicit RawFile(const std::filesystem::path& path);
  RawFile(RawFile&&) noexcept;
  RawFile& operator=(RawFile&&) noexcept;
  ~RawFile();

  std::uint64_t size_bytes() const;

  /// Reads from `offset` on; returns how many bytes there were. Throws Error.
  std::size_t read(std::uint64_t offset, std::span<std::byte> bytes) const;

 private:
  struct Open;
  std::unique_ptr<Open> open_;
};

}  // namespace nerve::sqlite
