// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/progress.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerve::backups {

struct ReplicationReport {
  std::vector<BackupId> copied;  ///< oldest first
  std::uint64_t bytes = 0;
  /// Of good backups that the other repository has, which are newer than what both know, and which this one
  /// does not have: an earlier state of this one was put back, or they were removed here.
  std::vector<BackupId> unknown_here;
  /// Why the other repository, as this machine has seen it, is not what it was; empty where it is, or is
  /// empty.
  std::string missed_there;
};

/// The second repository of `first` at `folder`, made where there is none. Throws NotFoundError where `first`
/// knows that it was there before and now it is not: its disk is not mounted, and a new one would fill
/// another. What this machine has seen of it is kept where that of `first` is. Throws what
/// Repository::open_or_create() throws.
Repository open_second_repository(const Repository& first, const std::filesystem::path& folder);

/// Brings the good backups of a database that `to` lacks from `from`: those that are newer than the newest
/// that both have, and what they lead back to. What was pruned there does not come back.
///
/// A copy has the id, time and sequence of its original. It is read back from the device and compared, and
/// the pages of a container with their hashes (of an encrypted one with `key` only), before it gets its name.
/// An abort leaves whole backups or none, and the next run goes on.
///
/// What is damaged, and what leads back to it, is left out, and the rest is copied; then it throws
/// IntegrityError. Throws ConflictError where both are one repository,
/// DeniedError, Error of kind unavailable when there is no space, and CancelledError.
ReplicationReport replicate_backups(const Repository& from, const Repository& to,
                                    const std::filesystem::path& source, const BackupKey* key,
                                    const Clock& clock, ProgressSink* progress = nullptr);

/// Where copies of the repository at `repository` were made, as a sentence with a command that lists them,
/// for who cannot use it; empty where `witness_folder`, in which this machine keeps what it has seen, knows
/// of none. The repository itself may be gone.
std::string hint_of_copies(const std::filesystem::path& repository,
                           const std::filesystem::path& witness_folder);

}  // namespace nerve::backups
