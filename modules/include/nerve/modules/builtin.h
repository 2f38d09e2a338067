// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/migrations/migration_set.h"
#include "nerve/module.h"
#include "nerve/store.h"

#include <span>
#include <vector>

namespace nerve {

/// The modules that the program is made with, each after those it depends on.
std::span<const Module* const> builtin_modules();

/// The migrations of those modules that are in a store, compiled in, in the order in which they are applied.
/// Their statements are not looked at unless dialects are named: the tests do that.
migrations::MigrationSet builtin_migrations(Store store, migrations::Dialects dialects = {});

/// The same for any list of modules and files: only files of modules that are in the store are taken.
migrations::MigrationSet migrations_of(std::span<const Module* const> modules,
                                       std::span<const migrations::EmbeddedFile> files, Store store,
                                       migrations::Dialects dialects = {});

}  // namespace nerve
