// SPDX-License-Identifier: Apache-2.0
#include "delta_merges.h"

#include "container/merge.h"
#include "container/reader.h"
#include "container_backup.h"
#include "durable_file.h"
#include "partial_backup.h"
#include "repository_file.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nerve::backups {

DeltaMerges::DeltaMerges(const Repository& repository, const std::vector<PruneDecision>& decisions,
                         Keyring& keyring, CatalogueWriter& catalogue, const Clock& clock)
    : repository_(repository), keyring_(keyring), catalogue_(catalogue), clock_(clock) {
  for (const PruneDecision& decision : decisions) {
    if (decision.backup.container) decisions_.emplace(decision.backup.id, &decision);
  }
}

const PruneDecision& DeltaMerges::decision_of(const BackupId& id, const Manifest& needed_by) const {
  const auto found = decisions_.find(id);
  if (found != decisions_.end() && found->second->backup.container->depth < needed_by.container->depth) {
    return *found->second;
  }
  throw IntegrityError(fmt::format("backup {} does not lead back to a full", needed_by.id.to_string()));
}

DeltaMerges::Base DeltaMerges::base_of(const Manifest& delta) const {
  Base base;
  const Manifest* after = &delta;
  for (;;) {
    const PruneDecision& decision = decision_of(*after->container->parent, *after);
    base.id = decision.backup.id;
    if (decision.fate != Fate::remove) return base;
    after = &decision.backup;
    base.removed.push_back(after);
    if (!after->container->parent) {
      throw IntegrityError(
          fmt::format("backup {} names another full than it leads back to", delta.id.to_string()));
    }
  }
}

std::int64_t DeltaMerges::run(const std::function<void()>& step) {
  std::vector<LineageItem> kept;
  for (const auto& [id, decision] : decisions_) {
    if (decision->fate == Fate::remove) continue;
    const bool is_delta = decision->backup.container->parent.has_value();
    kept.push_back(
        {&decision->backup, is_delta ? std::optional(base_of(decision->backup).id) : std::nullopt});
  }
  const std::vector<LineageNode> nodes = in_lineage_order(kept);
  std::int64_t freed_bytes = 0;
  for (std::size_t place = 0; place < nodes.size(); ++place) {
    if (decisions_.at(nodes[place].manifest->id)->fate != Fate::merge) continue;
    step();
    bring_to(nodes, nodes[place].parent.value());
    freed_bytes += merge(*nodes[place].manifest);
    at_ = place;
  }
  return freed_bytes;
}

/// From where the state is, if that leads there, or else from the full.
void DeltaMerges::bring_to(const std::vector<LineageNode>& nodes, std::size_t place) {
  const std::vector<std::size_t> places = places_to(nodes, place);
  auto next = at_ ? std::ranges::find(places, *at_) : places.end();
  if (next == places.end()) {
    state_.emplace(repository_.path());
    next = places.begin();
  } else {
    ++next;
  }
  at_.reset();
  for (; next != places.end(); ++next) {
    throw_if_interrupted();
    state_->apply(ContainerReader(path_of(*nodes[*next].manifest), keyring_));
  }
  at_ = place;
}

std::int64_t DeltaMerges::merge(const Manifest& manifest) {
  const Base base = base_of(manifest);
  std::vector<std::filesystem::path> deltas{path_of(manifest)};
  for (const Manifest* removed : base.removed) deltas.push_back(path_of(*removed));
  std::ranges::reverse(deltas);
  RunningState at_end = state_->copy();
  const Segment segment = read_segment(std::move(deltas), at_end, keyring_);
  require_container_of(manifest, segment.end);

  Manifest merged = manifest;
  PartialReplacement partial(repository_, merged.id);
  const std::filesystem::path path = partial.file(merged.file.name);
  ContainerTrailer trailer;
  {
    const Descriptor file = open_repository_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    trailer = merge_deltas(segment, file, path, keyring_);
  }
  // It is read as a restore would read it, before it takes the place of what it was made of.
  state_->apply_pages(ContainerReader(path, keyring_), [](const PageGroup& /*group*/) {});
  state_->require_as_sealed();
  merged.container->parent = base.id;
  merged.container->stored_pages = trailer.stored_pages;
  merged.file.size_bytes = trailer.file_bytes;
  if (merged.authentication) merged.authentication->code.clear();
  partial.put_in_place(merged, catalogue_, clock_.now());
  state_ = std::move(at_end);
  return static_cast<std::int64_t>(manifest.file.size_bytes) - static_cast<std::int64_t>(trailer.file_bytes);
}

std::filesystem::path DeltaMerges::path_of(const Manifest& manifest) const {
  return repository_.folder_of(manifest.id) / manifest.file.name;
}

}  // namespace nerve::backups
