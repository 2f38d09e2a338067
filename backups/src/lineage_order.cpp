// SPDX-License-Identifier: Apache-2.0
#include "lineage_order.h"

#include <algorithm>
#include <map>
#include <utility>

namespace nerve::backups {

std::vector<LineageNode> in_lineage_order(std::span<const LineageItem> items) {
  std::map<BackupId, std::uint32_t> depths;
  for (const LineageItem& item : items) depths.emplace(item.manifest->id, item.manifest->container->depth);
  std::map<BackupId, std::vector<const Manifest*>> children;
  std::vector<LineageNode> pending;
  for (const LineageItem& item : items) {
    const auto parent = item.parent ? depths.find(*item.parent) : depths.end();
    if (parent != depths.end() && parent->second < item.manifest->container->depth) {
      children[*item.parent].push_back(item.manifest);
    } else {
      pending.push_back({item.manifest, std::nullopt});
    }
  }
  std::ranges::reverse(pending);
  std::vector<LineageNode> nodes;
  nodes.reserve(items.size());
  while (!pending.empty()) {
    nodes.push_back(pending.back());
    pending.pop_back();
    const auto found = children.find(nodes.back().manifest->id);
    if (found == children.end()) continue;
    std::ranges::reverse(found->second);
    for (const Manifest* child : found->second) pending.push_back({child, nodes.size() - 1});
  }
  return nodes;
}

std::vector<std::size_t> places_to(std::span<const LineageNode> nodes, std::size_t place) {
  std::vector<std::size_t> places{place};
  while (nodes[places.back()].parent) places.push_back(*nodes[places.back()].parent);
  std::ranges::reverse(places);
  return places;
}

}  // namespace nerve::backups
