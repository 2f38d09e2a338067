// SPDX-License-Identifier: Apache-2.0
#include "merge.h"

#include "container_file.h"
#include "group_codec.h"
#include "group_collector.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"
#include "nerve/core/random.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace nerve::backups {
namespace {

/// For each page, by its number, which container of the chain holds its newest form; 0 where none behind the
/// base does.
using Owners = std::vector<std::uint16_t>;

Owners find_owners(const Chain& chain, std::size_t base) {
  if (chain.containers().size() > std::numeric_limits<std::uint16_t>::max()) {
    throw UnsupportedError("the chain of deltas is too long to be merged");
  }
  Owners owners(std::size_t{chain.page_count()} + 1, 0);
  PageGroup group;
  for (std::size_t index = base + 1; index < chain.containers().size(); ++index) {
    const ContainerReader& container = *chain.containers()[index];
    GroupCodec codec(container.header(), container.keys());
    for (std::size_t number = 0; number < container.group_count(); ++number) {
      container.read_hashes(number, codec, group);
      for (const std::uint32_t page : group.numbers) {
        if (page < owners.size()) owners[page] = static_cast<std::uint16_t>(index);
      }
    }
  }
  return owners;
}

}  // namespace

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

  const Owners owners = find_owners(chain, base);
  ContainerFile merged(file, path, header, keys);
  GroupCollector collector(merged, header, keys);
  PageGroup group;
  for (std::size_t index = base + 1; index < containers.size(); ++index) {
    GroupCodec codec(containers[index]->header(), containers[index]->keys());
    for (std::size_t number = 0; number < containers[index]->group_count(); ++number) {
      throw_if_interrupted();
      containers[index]->read_group(number, codec, group);
      for (std::size_t place = 0; place < group.numbers.size(); ++place) {
        const std::uint32_t page = group.numbers[place];
        if (page < owners.size() && owners[page] == index) collector.add(group, place);
      }
    }
    // The pages of the next container begin at lower numbers again.
    collector.write();
  }
  return merged.finish(chain.last().trailer().state);
}

}  // namespace nerve::backups
