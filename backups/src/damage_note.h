// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "partial_backup.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Damage that was found in a backup is noted beside it (damaged.json, docs/backup_repository.md), so that
/// nothing is built on it any more and "latest" does not mean it.
namespace nerve::backups {

/// Where the repository may only be read, nothing is noted: that is no reason to hide the damage itself.
/// `held` is the lock of a caller that has one.
void note_damage(const Repository& repository, const BackupId& id, std::string_view problem,
                 const Clock& clock, const RepositoryLock* held = nullptr);

/// What was noted of the backup in `folder`, with its time; absent where nothing was.
std::optional<std::string> noted_damage(const std::filesystem::path& folder);

/// After all of the backup was read and found right.
void forget_damage(const Repository& repository, const BackupId& id);

}  // namespace nerve::backups
