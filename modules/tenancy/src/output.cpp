// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include "nerve/core/text.h"
#include "nerve/list_command.h"

#include <nlohmann/json.hpp>

namespace nerve::tenancy {

namespace {

std::string status_text(const Tenant& tenant) {
  if (tenant.deleted_at) return "deleted";
  return std::string(db::enum_text(tenant.status));
}

Json text_or_null(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json();
}

}  // namespace

Json tenant_json(const Tenant& tenant) {
  return {{"id", tenant.id.to_string()},
          {"slug", tenant.slug},
          {"name", tenant.name},
          {"status", db::enum_text(tenant.status)},
          {"primary_domain", text_or_null(tenant.primary_domain)},
          {"subscription_tier", tenant.subscription_tier},
          {"max_seats", tenant.max_seats},
          {"max_domains", tenant.max_domains},
          {"billing_email", text_or_null(tenant.billing_email)},
          {"created_at", tenant.created_at.to_text()},
          {"updated_at", tenant.updated_at.to_text()},
          {"deleted_at", tenant.deleted_at ? Json(tenant.deleted_at->to_text()) : Json()}};
}

void show_tenant(Output& output, const Tenant& tenant) {
  if (output.wants_json()) {
    output.json(tenant_json(tenant));
    return;
  }
  std::vector<std::pair<std::string, TableCell>> pairs{
      {"id", tenant.id.to_string()},
      {"slug", tenant.slug},
      {"name", tenant.name},
      {"status", status_text(tenant)},
      {"primary domain", tenant.primary_domain.value_or("none")},
      {"subscription", tenant.subscription_tier},
      {"seats", format_count(tenant.max_seats)},
      {"domains", format_count(tenant.max_domains)},
      {"billing e-mail", tenant.billing_email.value_or("none")},
      {"created", output.time(tenant.created_at)},
      {"changed", output.time(tenant.updated_at)}};
  if (tenant.deleted_at) pairs.emplace_back("deleted", output.time(*tenant.deleted_at));
  output.key_values(pairs);
}

void show_tenants(Output& output, const TenantPage& page) {
  show_page<Tenant>(output, page,
                    {.name = "tenants",
                     .none = "no tenant",
                     .columns = {{"ID"}, {"SLUG"}, {"NAME"}, {"STATUS"}, {"SUBSCRIPTION"}, {"CREATED"}},
                     .to_json = &tenant_json,
                     .to_cells = [&](const Tenant& tenant) {
                       return std::vector<TableCell>{tenant.id.short_text(),
                                                     tenant.slug,
                                                     tenant.name,
                                                     status_text(tenant),
                                                     tenant.subscription_tier,
                                                     output.time(tenant.created_at)};
                     }});
}

}  // namespace nerve::tenancy
