// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::backups {

/// All of what a delta stands on has been read and compared within so long, part by part, at the backups of
/// that time.
inline constexpr std::chrono::hours proof_period = std::chrono::days(7);

/// The file that says how far the generation of a full has been proved.
std::filesystem::path proof_path(const Repository& repository, const BackupId& full);

/// Reads the next part of the containers of a chain (`lineage`, the full first), from the device and not from
/// the page cache, and compares each page with its hash: as large a part of all as the time since the last
/// proof is of `proof_period`, and at least 4 MiB. Damage is noted and thrown as IntegrityError. Gives what
/// keep_proof() is to keep when the backup is made: a run that fails leaves nothing.
std::string prove_next_part(const Repository& repository, const std::vector<Manifest>& lineage,
                            Keyring& keyring, const Clock& clock);

/// Keeps how far a generation has been proved. That it cannot be kept is no error.
void keep_proof(const Repository& repository, const BackupId& full, std::string_view proof);

}  // namespace nerve::backups
