// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/file.h"
#include "nerve/backups/manifest.h"
#include "nerve/backups/restore.h"

#include <optional>

namespace nerve::backups {

/// The error of a target that another process has open; `who` may be empty.
[[noreturn]] void throw_in_use(const std::filesystem::path& target, const std::string& who);

/// Looks at the target of a restore without changing anything, and says what would happen. Throws the errors
/// of restore_backup() that concern the target: it is in the way, in use, of another kind, in the repository,
/// or in a place without permission or space.
RestorePlan plan_restore(const Repository& repository, const Manifest& manifest, const RestoreTarget& target,
                         bool may_replace_other);

/// A lease of the file, absent where there can be none: on some file systems, and for a file of somebody
/// else. Throws the error of a target in use when another process has it open.
std::optional<sqlite::ExclusiveLease> lease_if_possible(const std::filesystem::path& target);

}  // namespace nerve::backups
