// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nerve::tenancy {

namespace {

std::string status_text(const Tenant& tenant) {
  if (tenant.deleted_at) return "deleted";
  return std::string(db::enum_texts<TenantStatus>[static_cast<std::size_t>(tenant.status)]);
}

Json text_or_null(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json();
}

}  // namespace

Json tenant_json(const Tenant& tenant) {
  return {{"id", tenant.id.to_string()},
          {"slug", tenant.slug},
          {"name", tenant.name},
          {"status", db::enum_texts<TenantStatus>[static_cast<std::size_t>(tenant.status)]},
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

void show_page(Output& output, const TenantPage& page) {
  if (output.wants_json()) {
    Json list = Json::array();
    for (const Tenant& tenant : page.tenants) list.push_back(tenant_json(tenant));
    output.json({{"tenants", std::move(list)}, {"next", page.next ? Json(page.next->to_string()) : Json()}});
    return;
  }
  if (page.tenants.empty()) {
    output.note("no tenant");
    return;
  }
  Table table{.columns = {{"ID"}, {"SLUG"}, {"NAME"}, {"STATUS"}, {"SUBSCRIPTION"}, {"CREATED"}}, .rows = {}};
  for (const Tenant& tenant : page.tenants) {
    table.rows.push_back({tenant.id.short_text(), tenant.slug, tenant.name, status_text(tenant),
                          tenant.subscription_tier, output.time(tenant.created_at)});
  }
  output.table(table);
  if (page.next) output.note(fmt::format("more follow: --after {}", page.next->to_string()));
}

}  // namespace nerve::tenancy
