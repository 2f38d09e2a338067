// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"

#include <string>
#include <string_view>

namespace nerve::migrations {

/// Replaces every `{{type}}` by what the engine calls it; lines stay where they are. In strings, dollar
/// quotes, quoted names and comments it is text like any other. docs/migrations.md lists the types. Throws
/// ValidationError that names `file`, line and column for one that is not known or lacks what it needs.
std::string expand_logical_types(std::string_view text, db::Dialect dialect, std::string_view file);

}  // namespace nerve::migrations
