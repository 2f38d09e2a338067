// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalogue.h"
#include "container/keys.h"
#include "container/running_state.h"
#include "lineage_order.h"

#include "nerve/backups/repository.h"
#include "nerve/backups/retention.h"
#include "nerve/core/clock.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace nerve::backups {

/// What a prune merges: each delta that is kept takes up what was between it and the one that is kept before
/// it, and is put in the place of what it was.
///
/// A generation is gone through once, the oldest first, and every container in it is read once: the state at
/// the last one that is kept is carried along. At a fork that begins anew, with those that are kept.
class DeltaMerges {
 public:
  /// Borrows all of them. The repository is held exclusively.
  DeltaMerges(const Repository& repository, const std::vector<PruneDecision>& decisions, Keyring& keyring,
              CatalogueWriter& catalogue, const Clock& clock);

  /// Calls `step` before each merge. Returns how many bytes less there are. Throws IntegrityError, before it
  /// puts anything wrong in the place of what is there, and what `step` throws.
  std::int64_t run(const std::function<void()>& step);

 private:
  /// The nearest before a delta that is kept, and those in between.
  struct Base {
    BackupId id;
    std::vector<const Manifest*> removed;  ///< the newest first
  };

  const PruneDecision& decision_of(const BackupId& id, const Manifest& needed_by) const;
  Base base_of(const Manifest& delta) const;
  void bring_to(const std::vector<LineageNode>& nodes, std::size_t place);
  std::int64_t merge(const Manifest& manifest);
  std::filesystem::path path_of(const Manifest& manifest) const;

  const Repository& repository_;
  Keyring& keyring_;
  CatalogueWriter& catalogue_;
  const Clock& clock_;
  std::map<BackupId, const PruneDecision*> decisions_;
  std::optional<RunningState> state_;
  std::optional<std::size_t> at_;  ///< the place of the kept one that it is the state of
};

}  // namespace nerve::backups
