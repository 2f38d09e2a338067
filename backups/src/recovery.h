// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"
#include "partial_backup.h"

#include "nerve/backups/backup.h"
#include "nerve/backups/recovery.h"

#include <filesystem>

/// What backups have to do with recovery keys.
namespace nerve::backups {

/// Gives a keyring the master keys that the recovery keys among its keys open, from the slots of the
/// repository.
void open_recovery_slots(const std::filesystem::path& repository, Keyring& keyring);

/// Puts the slots that open a full into its folder, writes the repository's note anew where that was lost,
/// and tells where recovery keys are there and none opens the backup.
void keep_recovery_slots(const Repository& repository, const BackupOptions& options, const Manifest& manifest,
                         Keyring& keyring, const PartialBackup& partial);

}  // namespace nerve::backups
