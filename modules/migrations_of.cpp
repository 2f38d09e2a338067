// SPDX-License-Identifier: Apache-2.0
#include "nerve/modules/builtin.h"

#include <algorithm>

namespace nerve {

migrations::MigrationSet migrations_of(std::span<const Module* const> modules,
                                       std::span<const migrations::EmbeddedFile> files, Store store,
                                       migrations::Dialects dialects) {
  std::vector<migrations::ModuleOrder> order;
  for (const Module* module : modules) {
    if (is_in(module->placement, store)) order.push_back({module->name, std::vector(module->depends_on)});
  }
  std::vector<migrations::EmbeddedFile> own_files;
  std::ranges::copy_if(files, std::back_inserter(own_files), [&](const migrations::EmbeddedFile& file) {
    return std::ranges::find(order, file.module, &migrations::ModuleOrder::name) != order.end();
  });
  return migrations::MigrationSet::from_files(own_files, order, dialects);
}

}  // namespace nerve
