// SPDX-License-Identifier: Apache-2.0
#include "page_owners.h"

#include "group_codec.h"

#include "nerve/core/error.h"

#include <limits>

namespace nerve::backups {

PageOwners::PageOwners(const Chain& chain, std::size_t first)
    : owners_(std::size_t{chain.page_count()} + 1, 0) {
  if (chain.containers().size() >= std::numeric_limits<std::uint16_t>::max()) {
    throw UnsupportedError("the chain of deltas is too long to be merged");
  }
  PageGroup group;
  for (std::size_t index = first; index < chain.containers().size(); ++index) {
    const ContainerReader& container = *chain.containers()[index];
    GroupCodec codec(container.header(), container.keys());
    for (std::size_t number = 0; number < container.group_count(); ++number) {
      container.read_hashes(number, codec, group);
      for (const std::uint32_t page : group.numbers) {
        if (page < owners_.size()) owners_[page] = static_cast<std::uint16_t>(index + 1);
      }
    }
  }
}

}  // namespace nerve::backups
