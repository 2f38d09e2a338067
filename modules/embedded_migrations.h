// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/migration_set.h"

#include <span>

namespace nerve {

/// Every .sql file under migrations/, by module and name. The definition is made by the build.
std::span<const migrations::EmbeddedFile> embedded_migrations();

}  // namespace nerve
