// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"
#include "partial_backup.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/backups/retention.h"
#include "nerve/core/clock.h"
#include "nerve/core/progress.h"

#include <span>
#include <string>
#include <vector>

namespace nerve::backups {

/// The newest backup that a prune would keep of a history, and what is wrong with it or with what it leads
/// back to.
struct DamagedNewest {
  Manifest backup;
  std::string problem;
};

/// Proves, of each history of which something is to be removed, the newest backup that is kept: what it needs
/// is read from the device and compared with its hashes, so that a prune never takes the sound one and leaves
/// the one that has rotten.
///
/// What was proved within `proof_period`, by a verification, a restore, the parts that backups prove or an
/// earlier prune, is not read again; that all is proved now is kept in the proof file of the generation. What
/// is found damaged is noted. `entries` is the list that the decisions are made of. Throws DeniedError where
/// an encrypted backup is to be read without its key, CancelledError, and what opening a container throws.
std::vector<DamagedNewest> prove_newest_kept(const Repository& repository, std::span<const Entry> entries,
                                             std::span<const PruneDecision> decisions, Keyring& keyring,
                                             const RepositoryLock& lock, const Clock& clock,
                                             ProgressSink* progress);

}  // namespace nerve::backups
