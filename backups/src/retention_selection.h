// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/repository.h"
#include "nerve/backups/retention.h"

#include <vector>

namespace nerve::backups {

/// What prune knows of a backup besides its manifest.
struct Standing {
  bool is_held = false;
  bool is_verified = false;
  bool is_in_kept_set = false;            ///< another backup of its set is kept
  bool is_of_damaged_generation = false;  ///< a backup in which damage was found may lead back to it
  bool is_of_damaged_history = false;     ///< the newest of its history that would be kept is damaged
};

struct Candidate {
  Manifest backup;
  Standing standing;
};

/// Decides about the backups of one database, which are given in the order of their sequence. Touches
/// nothing.
std::vector<PruneDecision> decide(const std::vector<Candidate>& candidates, const RetentionPolicy& policy,
                                  const Timestamp& now);

}  // namespace nerve::backups
