// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nerve::backups::salvage {

/// What is known of each page, in one byte for each.
class PageMap {
 public:
  enum Mark : std::uint8_t {
    walked = 1,        ///< read as part of a b-tree whose rows were taken
    expanded = 2,      ///< its children were counted
    of_an_index = 4,   ///< an index other than a WITHOUT ROWID table leads here
    unused = 8,        ///< the free list holds it
    pointer_map = 16,  ///< of a database that vacuums itself
    overflow = 32,     ///< of a row that was taken
  };

  explicit PageMap(std::uint32_t page_count) : marks_(page_count + 1), references_(page_count + 1) {}

  std::uint32_t page_count() const noexcept { return static_cast<std::uint32_t>(marks_.size() - 1); }
  bool has(std::uint32_t number, Mark mark) const noexcept { return (marks_[number] & mark) != 0; }
  void set(std::uint32_t number, Mark mark) noexcept {
    marks_[number] = static_cast<std::uint8_t>(marks_[number] | mark);
  }

  /// How many places lead to a page: roots in the schema and pages of b-trees. 255 stands for more, too.
  std::uint32_t references(std::uint32_t number) const noexcept { return references_[number]; }
  void add_reference(std::uint32_t number) noexcept {
    references_[number] = static_cast<std::uint8_t>(std::min(references_[number] + 1, 255));
  }

  /// Damage can make many rows share one chain of overflow pages, each of which would be read as often as
  /// there are rows. So no page is read more than a few times for that; false when it has been.
  bool may_read_again(std::uint32_t number) noexcept {
    if (reads_.empty()) reads_.resize(marks_.size());
    constexpr std::uint8_t reads_max = 4;
    return reads_[number]++ < reads_max || (reads_[number] = reads_max, false);
  }

  /// Whether the free list could be followed to its end, so that a page it does not hold is in use.
  bool is_free_list_whole = true;

 private:
  std::vector<std::uint8_t> marks_;
  std::vector<std::uint8_t> references_;
  std::vector<std::uint8_t> reads_;  ///< as overflow pages
};

}  // namespace nerve::backups::salvage
