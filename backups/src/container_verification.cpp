// SPDX-License-Identifier: Apache-2.0
#include "container_verification.h"

#include "container/group_walk.h"
#include "container_backup.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fmt/format.h>

#include <utility>

namespace nerve::backups {
namespace {

std::vector<LineageItem> items_of(const std::vector<const Manifest*>& manifests) {
  std::vector<LineageItem> items;
  items.reserve(manifests.size());
  for (const Manifest* manifest : manifests) items.push_back({manifest, manifest->container->parent});
  return items;
}

}  // namespace

ContainerVerification::ContainerVerification(const Repository& repository,
                                             const std::vector<const Manifest*>& manifests, Keyring& keyring,
                                             ProgressSink* progress)
    : repository_(repository),
      keyring_(keyring),
      progress_(progress),
      nodes_(in_lineage_order(items_of(manifests))),
      broken_(nodes_.size()) {
  for (const LineageNode& node : nodes_) total_bytes_ += node.manifest->file.size_bytes;
}

void ContainerVerification::take_as_proved(std::set<BackupId> proved) {
  proved_ = std::move(proved);
  for (const LineageNode& node : nodes_) {
    if (proved_->contains(node.manifest->id)) total_bytes_ -= node.manifest->file.size_bytes;
  }
}

void ContainerVerification::run(const Tell& tell) {
  for (place_ = 0; place_ < nodes_.size(); ++place_) {
    throw_if_interrupted();
    const Manifest& manifest = *nodes_[place_].manifest;
    const std::string problem = verify(place_);
    if (!proved_ || !proved_->contains(manifest.id)) done_bytes_ += manifest.file.size_bytes;
    report(0);
    const std::optional<std::size_t>& parent = nodes_[place_].parent;
    tell(manifest, problem, !problem.empty() && (!parent || broken_[*parent].empty()));
  }
}

std::vector<std::filesystem::path> ContainerVerification::paths() const {
  std::vector<std::filesystem::path> paths;
  for (const std::size_t place : places_to(nodes_, place_)) paths.push_back(path_of(place));
  return paths;
}

std::string ContainerVerification::verify(std::size_t place) {
  const LineageNode& node = nodes_[place];
  if (node.parent && !broken_[*node.parent].empty()) {
    broken_[place] = broken_[*node.parent];
    return broken_[place];
  }
  const auto broken_by = [&](const Error& error) {
    at_.reset();
    broken_[place] = error.what();
    return broken_[place];
  };
  try {
    if (!node.parent || at_ != node.parent) begin_at(node.parent);
    verify_pages(ContainerReader(path_of(place), keyring_), node.manifest->id);
    state_->require_as_sealed();
    at_ = place;
  } catch (const IntegrityError& error) {
    return broken_by(error);
  } catch (const NotFoundError& error) {
    return broken_by(error);
  }
  try {
    require_container_of(*node.manifest, *state_->end());
  } catch (const IntegrityError& error) {
    // A manifest that is of another container is the trouble of its own backup only.
    return error.what();
  }
  return {};
}

/// Brings the state to the container at `place`, or to where no container is yet.
void ContainerVerification::begin_at(std::optional<std::size_t> place) {
  state_.emplace(repository_.path());
  if (!place) return;
  for (const std::size_t before : places_to(nodes_, *place)) {
    throw_if_interrupted();
    state_->apply(ContainerReader(path_of(before), keyring_));
  }
}

void ContainerVerification::verify_pages(const ContainerReader& container, const BackupId& id) {
  if (proved_ && proved_->contains(id)) return state_->apply(container);
  if (proved_) container.drop_from_page_cache(0, container.trailer().file_bytes);
  if (container.group_count() <= 1) {
    // Threads would cost more than they save.
    state_->apply_pages(container, [](const PageGroup& /*group*/) {});
    return;
  }
  state_->apply(container);
  walk_groups(
      container, [](const PageGroup& /*group*/) {}, [&](std::uint64_t bytes) { report(bytes); });
}

std::filesystem::path ContainerVerification::path_of(std::size_t place) const {
  const Manifest& manifest = *nodes_[place].manifest;
  return repository_.folder_of(manifest.id) / manifest.file.name;
}

void ContainerVerification::report(std::uint64_t bytes) const {
  if (progress_ != nullptr) progress_->update("verifying", done_bytes_ + bytes, total_bytes_);
}

}  // namespace nerve::backups
