// SPDX-License-Identifier: Apache-2.0
#include "merge.h"

#include "container_file.h"
#include "group_codec.h"
#include "group_collector.h"
#include "page_owners.h"

#include "nerve/core/interrupt.h"
#include "nerve/core/random.h"

#include <vector>

namespace nerve::backups {
ContainerTrailer merge_deltas(const Chain& chain, std::size_t base, const Descriptor& file,
                              const std::filesystem::path& path, Keyring& keyring) {
  const std::vector<std::unique_ptr<ContainerReader>>& containers = chain.containers();
  const ContainerReader& parent = *containers[base];
  ContainerHeader header = chain.last().header();
  header.parent = parent.header().id;
  header.parent_state = parent.trailer().state;
  // Another content under the old keys would use nonces twice.
  if (header.is_encrypted()) system_random().fill(header.backup_salt);
  const ContainerKeys keys = keyring.keys_of(header, path.string());

  const PageOwners owners(chain, base + 1);
  ContainerFile merged(file, path, header, keys);
  GroupCollector collector(merged, header, keys);
  PageGroup group;
  for (std::size_t index = base + 1; index < containers.size(); ++index) {
    GroupCodec codec(containers[index]->header(), containers[index]->keys());
    for (std::size_t number = 0; number < containers[index]->group_count(); ++number) {
      throw_if_interrupted();
      containers[index]->read_group(number, codec, group);
      for (std::size_t place = 0; place < group.numbers.size(); ++place) {
        if (owners.is_owner(index, group.numbers[place])) collector.add(group, place);
      }
    }
    // The pages of the next container begin at lower numbers again.
    collector.write();
  }
  return merged.finish(chain.last().trailer().state);
}

}  // namespace nerve::backups
