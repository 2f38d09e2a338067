// SPDX-License-Identifier: Apache-2.0
#include "merge.h"

#include "container_file.h"
#include "group_codec.h"
#include "group_collector.h"
#include "reader.h"

#include "nerve/core/interrupt.h"
#include "nerve/core/random.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace nerve::backups {
namespace {

/// Puts those pages of delta `index` into the collector of which no later one holds a newer form.
void collect(const Segment& segment, std::size_t index, Keyring& keyring, GroupCollector& collector) {
  const ContainerReader delta(segment.deltas[index], keyring);
  GroupCodec codec(delta.header(), delta.keys());
  PageGroup group;
  const auto is_owned = [&](std::uint32_t page) { return segment.owners.is_owner(index, page); };
  for (std::size_t number = 0; number < delta.group_count(); ++number) {
    throw_if_interrupted();
    delta.read_hashes(number, codec, group);
    if (std::ranges::none_of(group.numbers, is_owned)) continue;
    delta.read_group(number, codec, group);
    for (std::size_t place = 0; place < group.numbers.size(); ++place) {
      if (is_owned(group.numbers[place])) collector.add(group, place);
    }
  }
  // The pages of the next delta begin at lower numbers again.
  collector.write();
}

}  // namespace

Segment read_segment(std::vector<std::filesystem::path> deltas, RunningState& state, Keyring& keyring) {
  Segment segment;
  segment.base = state.end().value();
  segment.deltas = std::move(deltas);
  for (std::size_t index = 0; index < segment.deltas.size(); ++index) {
    const ContainerReader delta(segment.deltas[index], keyring);
    state.apply_pages(delta, [&](const PageGroup& group) {
      throw_if_interrupted();
      segment.owners.take(index, group.numbers);
    });
  }
  state.require_as_sealed();
  segment.end = state.end().value();
  segment.owners.end_at(segment.end.header.page_count);
  return segment;
}

ContainerTrailer merge_deltas(const Segment& segment, const Descriptor& file,
                              const std::filesystem::path& path, Keyring& keyring) {
  ContainerHeader header = segment.end.header;
  header.parent = segment.base.header.id;
  header.parent_state = segment.base.state;
  // Another content under the old keys would use nonces twice.
  if (header.is_encrypted()) system_random().fill(header.backup_salt);
  const ContainerKeys keys = keyring.keys_of(header, path.string());

  ContainerFile merged(file, path, header, keys);
  GroupCollector collector(merged, header, keys);
  const std::vector<bool> owns_any = segment.owners.owns_any(segment.deltas.size());
  for (std::size_t index = 0; index < segment.deltas.size(); ++index) {
    if (owns_any[index]) collect(segment, index, keyring, collector);
  }
  return merged.finish(segment.end.state);
}

}  // namespace nerve::backups
