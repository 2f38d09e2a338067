// SPDX-License-Identifier: Apache-2.0
// For whom commands of modules act.
#include "actor.h"
#include "context.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/tenancy/tenants.h"

#include <fmt/format.h>

#include <vector>

namespace nerve::cli {

Scope Context::scope() {
  return Scope::of_workspace(Actor::operator_named(current_actor()));
}

Scope Context::tenant_scope(const Arguments& arguments) {
  const Scope workspace_scope = scope();
  const TenantId tenant = open_workspace().store(Store::core).read(workspace_scope, [&](Reader& reader) {
    if (const auto text = arguments.text("--tenant"))
      return TenantId(reader.find_id(tenancy::tenants, *text));
    const std::vector<tenancy::Tenant> found = reader.select(tenancy::tenants, "TRUE", {});
    if (found.empty()) throw NotFoundError("there is no tenant yet", "Make one: nerve-db tenant create NAME");
    if (found.size() == 1) return found.front().id;
    std::vector<std::string> slugs;
    slugs.reserve(found.size());
    for (const tenancy::Tenant& one : found) slugs.push_back(one.slug);
    throw ValidationError(fmt::format("there are {} tenants, and none is named", found.size()),
                          fmt::format("Name one with --tenant: {}.", list_names(slugs)));
  });
  return workspace_scope.narrowed_to(tenant);
}

}  // namespace nerve::cli
