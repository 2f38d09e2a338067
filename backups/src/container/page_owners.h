// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nerve::backups {

/// Which of several containers that follow one another holds the newest form of each page of the database.
class PageOwners {
 public:
  PageOwners() = default;
  /// Those of a whole chain. Throws IntegrityError, and what take() throws.
  explicit PageOwners(const Chain& chain);

  /// Container `index`, which is no earlier than the ones before, holds these pages. Throws UnsupportedError
  /// from number 65,534 on.
  void take(std::size_t index, std::span<const std::uint32_t> pages);
  /// The database has no more pages than this: nobody holds those beyond.
  void end_at(std::uint32_t page_count);

  /// Of each of so many containers, whether it holds the newest form of any page.
  std::vector<bool> owns_any(std::size_t containers) const;
  /// Whether it is container `index` that holds page `number`.
  bool is_owner(std::size_t index, std::uint32_t number) const noexcept {
    return number < owners_.size() && owners_[number] == index + 1;
  }

 private:
  std::vector<std::uint16_t> owners_;  ///< by page number: one more than the index, 0 where none has it
};

}  // namespace nerve::backups
