// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"

#include "nerve/migrations/drift.h"

#include <optional>
#include <string>

namespace nerve::cli {

/// Where the migrations of the database at `url` are replayed: in the database that --scratch (`named`) or
/// else database.scratch_url names, and without either in one that is made for it. Nothing is opened yet.
///
/// Throws ValidationError for a named one that is not of PostgreSQL, or where the database at `url` is not;
/// the setting is left aside there, since a workspace may have stores of both engines.
migrations::ScratchSource scratch_source(Context& context, const DatabaseUrl& url,
                                         const std::optional<std::string>& named);

}  // namespace nerve::cli
