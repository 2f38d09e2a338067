// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../durable_file.h"
#include "header.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace nerve::backups {

/// The hashes of all pages of a database at one backup.
///
/// They are kept in an unnamed file in `folder`, so that memory does not grow with the database: 4 MiB for
/// each GiB of 4 KiB pages. Where `folder` may only be read or is full they are in memory after all. Reading
/// is safe for several threads.
class PageState {
 public:
  explicit PageState(const std::filesystem::path& folder);

  /// What save() wrote to `file`. A cache is no error and is not trusted: absent where there is none, where
  /// it is a link, no regular file or of another size, where it cannot be read, and where its digest() is not
  /// `expected`. What is compared is what was taken, so that a later change of the file does not count.
  static std::optional<PageState> load(const std::filesystem::path& file, std::uint32_t page_count,
                                       const crypto::Sha256Digest& expected,
                                       const std::filesystem::path& folder);

  /// Writes the hashes to `file` (mode 0600) in the place of what was there, whole or not at all. Not synced:
  /// load() finds what a crash made of it.
  void save(const std::filesystem::path& file) const;

  /// Another one with the same hashes, in the same folder.
  PageState copy() const;

  std::uint32_t page_count() const noexcept { return page_count_; }

  /// Begins to hold this many pages: those beyond are gone, and new ones have no hash yet.
  void resize(std::uint32_t page_count);
  /// Sets the hashes of `numbers`, which are ascending.
  void set(std::span<const std::uint32_t> numbers, std::span<const PageHash> hashes);

  /// The hashes of pages `first`, `first` + 1 …; fewer than asked for where the database ends before.
  void read(std::uint32_t first, std::uint32_t count, std::vector<PageHash>& hashes) const;

  /// SHA-256 of all of them in order.
  crypto::Sha256Digest digest() const;

 private:
  void write(std::uint32_t first, std::span<const PageHash> hashes);
  void move_to_memory();
  void copy_to(const Descriptor& file, const std::filesystem::path& path) const;

  std::filesystem::path folder_;  ///< for messages
  Descriptor file_;
  std::uint32_t page_count_ = 0;
};

}  // namespace nerve::backups
