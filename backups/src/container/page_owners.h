// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "chain.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nerve::backups {

/// Which container of a chain holds the newest form of each page of the database at its end.
class PageOwners {
 public:
  /// Looks at the containers from number `first` on. Throws IntegrityError, and UnsupportedError for a chain
  /// of more than 65,534.
  PageOwners(const Chain& chain, std::size_t first);

  /// Whether it is container `index` that holds page `number`.
  bool is_owner(std::size_t index, std::uint32_t number) const noexcept {
    return number < owners_.size() && owners_[number] == index + 1;
  }

 private:
  std::vector<std::uint16_t> owners_;  ///< by page number: one more than the index, 0 where none has it
};

}  // namespace nerve::backups
