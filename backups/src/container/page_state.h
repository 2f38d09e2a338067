// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../durable_file.h"
#include "header.h"

#include <cstdint>
#include <filesystem>
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
  void move_to_memory();

  std::filesystem::path folder_;  ///< for messages
  Descriptor file_;
  std::uint32_t page_count_ = 0;
};

}  // namespace nerve::backups
