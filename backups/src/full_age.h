// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/backup.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"
#include "nerve/core/clock.h"

#include <optional>
#include <span>
#include <string_view>

/// When a full is due by the age of the last one.
namespace nerve::backups {

/// The full of a database with the highest sequence; absent where there is none.
std::optional<Manifest> newest_full(std::span<const Entry> entries, std::string_view source);

/// The options, with a full asked for where BackupOptions::full_age_max makes one due; tells so by a note.
/// Where there is no full of the history `line` yet, nothing changes: the next backup is one.
BackupOptions with_due_full(BackupOptions options, std::span<const Entry> entries, std::string_view source,
                            const std::optional<LineId>& line, const Clock& clock);

}  // namespace nerve::backups
