// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/time.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups {

/// All of what a delta stands on has been read and compared within so long, part by part, at the backups of
/// that time.
inline constexpr std::chrono::hours proof_period = std::chrono::days(7);

/// The file that says how far the generation of a full has been proved.
std::filesystem::path proof_path(const Repository& repository, const BackupId& full);

/// That all of a chain has been read and found right.
struct WholeProof {
  BackupId through;  ///< the last backup that it covers; the others are those that it leads back to
  Timestamp since;   ///< nothing of them was read before
};

/// What the proof file of the generation with this full says of the whole of it; absent where it says
/// nothing.
std::optional<WholeProof> whole_proof(const Repository& repository, const BackupId& full);

/// Keeps it beside what the file says of the next part. That it cannot be kept is no error.
void keep_whole_proof(const Repository& repository, const BackupId& full, const WholeProof& proof);

/// Reads the next part of the containers of a chain (`lineage`, the full first), from the device and not from
/// the page cache, and compares each page with its hash: as large a part of all as the time since the last
/// proof is of `proof_period`, and at least 4 MiB. Damage is noted and thrown as IntegrityError. Gives what
/// keep_proof() is to keep when the backup is made: a run that fails leaves nothing.
std::string prove_next_part(const Repository& repository, const std::vector<Manifest>& lineage,
                            Keyring& keyring, const Clock& clock);

/// Keeps how far a generation has been proved. That it cannot be kept is no error.
void keep_proof(const Repository& repository, const BackupId& full, std::string_view proof);

}  // namespace nerve::backups
