// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/recovery_slot.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

/// The notes in which recovery keys have their slots: `recovery.json` of a repository, and of the folder of
/// each full (docs/backup_repository.md, "Recovery keys").
namespace nerve::backups {

using RecoverySlots = std::vector<RecoverySlot>;

/// The slots in the note of a folder; absent where it has none. Throws IntegrityError for a damaged one,
/// UnsupportedError for one of an unknown format.
std::optional<RecoverySlots> recovery_slots_in(const std::filesystem::path& folder);

/// Those of the repository. Where its note is lost or damaged, those in the folders of these backups, each
/// once.
RecoverySlots known_recovery_slots(const std::filesystem::path& repository,
                                   const std::vector<std::string>& backups);

/// Hands over the slots of the repository's note, then those of the backups, until `take` returns true. What
/// cannot be read is passed over: any that can may open the backups.
void visit_recovery_slots(const std::filesystem::path& repository,
                          const std::function<bool(const RecoverySlot&)>& take);

/// Changes the note of the repository, under its lock. A lost or damaged one begins with what
/// known_recovery_slots() finds. Throws ConflictError where there would be more than 64 slots.
void change_recovery_slots(const Repository& repository, const std::function<void(RecoverySlots&)>& change);

/// Writes the note of a backup that is being made; synced.
void write_recovery_slots(const std::filesystem::path& file, const RecoverySlots& slots);

/// Replaces the note of a backup, or removes it where no slot is left.
void replace_recovery_slots(const Repository& repository, const BackupId& id, const RecoverySlots& slots);

/// Adds those of `slots` that the repository lacks, as long as there is room.
void add_recovery_slots(const Repository& repository, const RecoverySlots& slots);

}  // namespace nerve::backups
