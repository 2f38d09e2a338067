// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"
#include "nerve/core/progress.h"

namespace nerve::backups {

/// Makes a full of a delta and what it leads back to, without the database: a new backup of the same state,
/// with the same time and sequence, that needs no other and begins a generation. The delta stays as it is;
/// the next backup builds on the new full where the delta was the newest.
///
/// `key` opens and seals encrypted ones; null where there is none. Each page is compared with its hash before
/// it is written. Nothing is left of one that fails.
///
/// Throws ConflictError for what is no delta or is of a damaged database, IntegrityError where the chain is
/// damaged, DeniedError, Error of kind unavailable when there is no space, and CancelledError.
Manifest consolidate_backup(const Repository& repository, const Manifest& delta, const BackupKey* key,
                            const Clock& clock, ProgressSink* progress = nullptr);

}  // namespace nerve::backups
