// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/module.h"

#include "commands.h"

namespace nerve::tenancy {

namespace {

class TenancyModule final : public Module {
 public:
  std::string_view name() const noexcept override { return "tenancy"; }
  std::string_view description() const noexcept override {
    return "tenants, who belongs to them, and where they want to be told of events";
  }
  std::string_view version() const noexcept override { return "0.1.0"; }
  Placement placement() const noexcept override { return Placement::core; }
  std::vector<std::string_view> depends_on() const override { return {"workspace"}; }

  std::vector<TableFacts> tables() const override {
    return {
        {.name = "tenants",
         .classification = Classification::confidential,
         .is_soft_deleted = true,
         .personal_columns = {"billing_email"}},
        {.name = "tenant_members",
         .classification = Classification::confidential,
         .is_soft_deleted = true,
         .is_tenant_owned = true,
         .personal_columns = {"user_id", "joined_at", "left_at"}},
        {.name = "webhooks",
         .classification = Classification::confidential,
         .is_soft_deleted = true,
         .is_tenant_owned = true},
    };
  }
  std::vector<std::string_view> views() const override {
    return {"companies", "organizations", "user_organizations"};
  }
  std::vector<Command> commands() const override { return {tenant_command()}; }
};

}  // namespace

const Module& module() {
  static const TenancyModule module;
  return module;
}

}  // namespace nerve::tenancy
