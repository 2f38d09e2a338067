// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"

#include "nerve/backups/latest_set.h"
#include "nerve/backups/repository.h"
#include "nerve/core/time.h"

#include <optional>
#include <string>
#include <vector>

namespace nerve::cli {

/// The newest whole set of both stores of the workspace, which there must be. Absent where its stores are not
/// such that there are sets of them. Throws NotFoundError where there could be one and none is whole.
std::optional<backups::LatestSet> latest_set_of_workspace(
    Context& context, const backups::Repository& repository,
    const std::optional<Timestamp>& until = std::nullopt);

/// What is passed over, in a few lines: of many the newest.
std::vector<std::string> notes_of(std::vector<std::string> passed_over);

}  // namespace nerve::cli
