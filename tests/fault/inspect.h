// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/key.h"

#include <filesystem>

namespace nerve::test {

/// Prints what a repository is worth, a line each: `problem TEXT` for all that verify_all() and the catalogue
/// tell, and `state ID SHA256` for each backup, of the file that a restore makes of it in the folder
/// `scratch`, or `problem TEXT` why it makes none. A restore leaves its note in the repository.
void inspect(const std::filesystem::path& repository, const std::filesystem::path& scratch,
             const backups::BackupKey* key);

}  // namespace nerve::test
