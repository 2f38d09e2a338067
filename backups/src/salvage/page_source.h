// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "salvage/layout.h"
#include "salvage/overlay.h"
#include "salvage/raw_file.h"
#include "salvage/tree_page.h"

#include "nerve/core/bytes.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nerve::backups::salvage {

/// The pages of a damaged database in its last committed state: the main file, over it the pages that a
/// rollback journal keeps, over these the committed frames of a -wal. Nothing is ever written, locked or
/// opened by SQLite. Holds the file descriptors and the places of the pages, no pages.
class PageSource {
 public:
  /// Throws IntegrityError where nothing in the file looks like a page of a database.
  explicit PageSource(const std::filesystem::path& path);

  const Layout& layout() const noexcept { return layout_; }
  const std::filesystem::path& path() const noexcept { return file_.path(); }
  /// The number of pages that can be there: those of the file, or of the state that -wal or -journal tell.
  std::uint32_t page_count() const noexcept { return page_count_; }
  /// The number that there should be; more than page_count() where the file was cut off.
  std::uint32_t expected_page_count() const noexcept { return expected_page_count_; }
  /// What people should know of how the file was read.
  const std::vector<std::string>& notes() const noexcept { return notes_; }
  /// Whether transactions in a companion could not be read.
  bool has_lost_transactions() const noexcept { return has_lost_transactions_; }

  /// Reads a page, numbered from 1. False where it is not there or cannot be read.
  bool read(std::uint32_t number, Bytes& page) const;
  PageBounds bounds(std::uint32_t number) const noexcept {
    return {layout_.tree_offset(number), layout_.usable_bytes, expected_page_count_};
  }
  /// Numbers come from the file, so they may be anything. The lock page is never part of anything.
  bool is_page(std::uint32_t number) const noexcept {
    return number >= 1 && number <= page_count_ && number != lock_page();
  }

 private:
  std::uint32_t lock_page() const noexcept;
  void take_overlay(std::optional<Overlay> overlay);
  void find_layout();
  void find_encoding();
  void count_pages();

  RawFile file_;
  std::vector<Overlay> overlays_;  ///< the first one lies on top
  Layout layout_;
  std::uint32_t page_count_ = 0;
  std::uint32_t expected_page_count_ = 0;
  std::vector<std::string> notes_;
  bool has_lost_transactions_ = false;
};

}  // namespace nerve::backups::salvage
