// SPDX-License-Identifier: Apache-2.0
#include "page_owners.h"

#include "group_codec.h"

#include "nerve/core/error.h"

#include <limits>

namespace nerve::backups {

PageOwners::PageOwners(const Chain& chain) {
  PageGroup group;
  for (std::size_t index = 0; index < chain.containers().size(); ++index) {
    const ContainerReader& container = *chain.containers()[index];
    GroupCodec codec(container.header(), container.keys());
    for (std::size_t number = 0; number < container.group_count(); ++number) {
      container.read_hashes(number, codec, group);
      take(index, group.numbers);
    }
  }
  end_at(chain.page_count());
}

void PageOwners::take(std::size_t index, std::span<const std::uint32_t> pages) {
  if (index + 1 >= std::numeric_limits<std::uint16_t>::max()) {
    throw UnsupportedError("the chain of deltas is too long to be merged");
  }
  for (const std::uint32_t page : pages) {
    if (page >= owners_.size()) owners_.resize(std::size_t{page} + 1, 0);
    owners_[page] = static_cast<std::uint16_t>(index + 1);
  }
}

void PageOwners::end_at(std::uint32_t page_count) {
  if (owners_.size() > std::size_t{page_count} + 1) owners_.resize(std::size_t{page_count} + 1);
}

std::vector<bool> PageOwners::owns_any(std::size_t containers) const {
  std::vector<bool> owns(containers, false);
  for (const std::uint16_t owner : owners_) {
    if (owner > 0) owns.at(owner - 1) = true;
  }
  return owns;
}

}  // namespace nerve::backups
