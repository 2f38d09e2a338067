// SPDX-License-Identifier: Apache-2.0
// nerve-db tenant create, list, show, rename, delete and restore
#include "commands.h"

#include "output.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/list_command.h"
#include "nerve/store.h"
#include "nerve/tenancy/tenants.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>

namespace nerve::tenancy {

namespace {

Tenants tenants_of(CommandContext& context) {
  return Tenants(context.stores().store(Store::core));
}

void report(Output& output, const Tenant& tenant, std::string_view what) {
  show_change(output, tenant_json(tenant),
              fmt::format("{} the tenant {}: {}", what, tenant.slug, tenant.name));
}

int run_create(CommandContext& context, const Arguments& arguments) {
  NewTenant tenant{.name = *arguments.text("NAME"), .slug = arguments.text("--slug").value_or("")};
  tenant.primary_domain = arguments.text("--domain");
  tenant.billing_email = arguments.text("--billing-email");
  if (const auto tier = arguments.text("--tier")) tenant.subscription_tier = *tier;
  if (const auto seats = arguments.integer("--seats")) tenant.max_seats = *seats;
  if (const auto domains = arguments.integer("--domains")) tenant.max_domains = *domains;
  report(context.output(), tenants_of(context).create(tenant), "created");
  return 0;
}

int run_list(CommandContext& context, const Arguments& arguments) {
  if (arguments.has("--all") && arguments.has("--deleted")) {
    throw ValidationError("both --all and --deleted are given", "Give one of them.");
  }
  Tenants tenants = tenants_of(context);
  TenantQuery query;
  query.limit = limit_from(arguments);
  if (arguments.has("--all")) query.visibility = db::Visibility::all;
  if (arguments.has("--deleted")) query.visibility = db::Visibility::deleted;
  if (const auto after = arguments.text("--after")) query.after = tenants.find(*after).id;
  show_tenants(context.output(), tenants.list(query));
  return 0;
}

int run_show(CommandContext& context, const Arguments& arguments) {
  show_tenant(context.output(), tenants_of(context).find(*arguments.text("ID")));
  return 0;
}

int run_rename(CommandContext& context, const Arguments& arguments) {
  Tenants tenants = tenants_of(context);
  const Tenant tenant = tenants.find(*arguments.text("ID"));
  report(context.output(), tenants.rename(tenant.id, *arguments.text("NAME")), "renamed");
  return 0;
}

int run_delete(CommandContext& context, const Arguments& arguments) {
  Tenants tenants = tenants_of(context);
  const Tenant tenant = tenants.find(*arguments.text("ID"));
  if (arguments.has("--dry-run")) {
    report(context.output(), tenant, tenant.deleted_at ? "would refuse, being deleted:" : "would delete");
    return 0;
  }
  context.require_confirmation(fmt::format("Delete the tenant {}? It can be restored.", tenant.slug));
  report(context.output(), tenants.erase(tenant.id), "deleted");
  return 0;
}

int run_restore(CommandContext& context, const Arguments& arguments) {
  Tenants tenants = tenants_of(context);
  const Tenant tenant = tenants.find(*arguments.text("ID"));
  report(context.output(), tenants.restore(tenant.id), "restored");
  return 0;
}

Argument id_operand() {
  return {.name = "ID",
          .type = ArgumentType::text,
          .description = "slug of the tenant, its id, or the last 8 characters of that",
          .required = true};
}

Argument name_operand() {
  return {.name = "NAME", .type = ArgumentType::text, .description = "name for people", .required = true};
}

Argument number_option(std::string_view name, std::string_view description) {
  return {.name = name,
          .value_name = "N",
          .type = ArgumentType::integer,
          .description = description,
          .minimum = 1,
          .maximum = 1'000'000};
}

Command create_command() {
  return {.name = "create",
          .summary = "make a tenant and print its id",
          .operands = {name_operand()},
          .options = {{.name = "--slug",
                       .value_name = "SLUG",
                       .type = ArgumentType::text,
                       .description = "its name in commands (default: made from NAME); it never changes"},
                      {.name = "--domain",
                       .value_name = "DOMAIN",
                       .type = ArgumentType::text,
                       .description = "primary domain"},
                      {.name = "--billing-email",
                       .value_name = "ADDRESS",
                       .type = ArgumentType::text,
                       .description = "where bills go"},
                      {.name = "--tier",
                       .value_name = "TIER",
                       .type = ArgumentType::text,
                       .description = "subscription (default: basic)"},
                      number_option("--seats", "users it may have (default: 1)"),
                      number_option("--domains", "domains it may watch (default: 1)")},
          .example = "nerve-db tenant create 'Beta Ltd' --domain beta.example --seats 20 --workspace demo",
          .run = &run_create};
}

Command list_command() {
  return {.name = "list",
          .summary = "list the tenants in the order in which they were made",
          .options = {{.name = "--all", .description = "deleted ones as well"},
                      {.name = "--deleted", .description = "only deleted ones"},
                      limit_option(),
                      after_option()},
          .example = "nerve-db tenant list --all --workspace demo",
          .run = &run_list};
}

Command delete_command() {
  return {.name = "delete",
          .summary = "mark a tenant as deleted",
          .description = "Its data stays, and 'tenant restore' brings it back. Asks first.",
          .operands = {id_operand()},
          .options = {yes_option(), dry_run_option()},
          .example = "nerve-db tenant delete acme --yes --workspace demo",
          .run = &run_delete};
}

}  // namespace

Command tenant_command() {
  return {.name = "tenant",
          .summary = "keep the tenants: whose data it is",
          .description = "A tenant is named by its slug, its id, or the last 8 characters of that.",
          .commands = {create_command(),
                       list_command(),
                       {.name = "show",
                        .summary = "show a tenant",
                        .operands = {id_operand()},
                        .example = "nerve-db tenant show acme --workspace demo",
                        .run = &run_show},
                       {.name = "rename",
                        .summary = "change the name of a tenant; its slug stays",
                        .operands = {id_operand(), name_operand()},
                        .example = "nerve-db tenant rename acme 'Acme Group' --workspace demo",
                        .run = &run_rename},
                       delete_command(),
                       {.name = "restore",
                        .summary = "bring a deleted tenant back",
                        .operands = {id_operand()},
                        .example = "nerve-db tenant restore gone --workspace demo",
                        .run = &run_restore}},
          .example = "nerve-db tenant list --workspace demo"};
}

}  // namespace nerve::tenancy
