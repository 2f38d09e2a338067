// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/manifest.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace nerve::backups {

/// A backup that is a container, and the one that it is to stand under.
struct LineageItem {
  const Manifest* manifest = nullptr;
  std::optional<BackupId> parent;
};

/// A backup in its lineage order.
struct LineageNode {
  const Manifest* manifest = nullptr;
  /// The place of its parent, which comes before it. Absent where there is none, it is not among them, or its
  /// depth is no lesser one: who follows such parents may go round in a circle.
  std::optional<std::size_t> parent;
};

/// Backups in an order in which each directly follows its parent wherever that has no other child: what is
/// carried along from one to the next has to begin anew only at a full and at a fork.
std::vector<LineageNode> in_lineage_order(std::span<const LineageItem> items);

/// The places that lead to the one at `place`: its full first, itself last.
std::vector<std::size_t> places_to(std::span<const LineageNode> nodes, std::size_t place);

}  // namespace nerve::backups
