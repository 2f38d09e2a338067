// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backups/repository.h"

#include <string>
#include <vector>

namespace nerve::backups {

/// Authenticates the manifests of those of the encrypted backups with these ids that are not: where the
/// container opens with a key of the repository's keyring and is what the manifest is of. Gives their ids.
/// The repository is held exclusively.
std::vector<std::string> vouch_for(const Repository& repository, const std::vector<std::string>& ids);

}  // namespace nerve::backups
