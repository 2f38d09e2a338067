// SPDX-License-Identifier: Apache-2.0
#include "nerve/modules/builtin.h"

#include "embedded_migrations.h"

#include "nerve/jobs/module.h"
#include "nerve/tenancy/module.h"
#include "nerve/workspace/module.h"

#include <array>

namespace nerve {

std::span<const Module* const> builtin_modules() {
  static const std::array modules = {
      &workspace::module(),
      &jobs::module(),
      &tenancy::module(),
  };
  return modules;
}

migrations::MigrationSet builtin_migrations(Store store, migrations::Dialects dialects) {
  return migrations_of(builtin_modules(), embedded_migrations(), store, dialects);
}

}  // namespace nerve
