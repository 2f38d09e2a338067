// SPDX-License-Identifier: Apache-2.0
#include "group_walk.h"

#include "../shared_work.h"

namespace nerve::backups {

void walk_groups(const ContainerReader& container, const UseGroup& use, const ReadSoFar& read_so_far) {
  const DoWork read = [&](WorkUnits& units) {
    GroupCodec codec(container.header(), container.keys());
    PageGroup group;
    while (const auto number = units.next()) {
      container.read_group(*number, codec, group);
      use(group);
      units.add_bytes(container.stored_bytes(*number));
    }
  };
  share_work(container.group_count(), read, read_so_far);
}

}  // namespace nerve::backups
