// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include "nerve/record_command.h"
#include "nerve/tenancy/members.h"
#include "nerve/tenancy/tenants.h"

namespace nerve::tenancy {

namespace {

OpenStore core_of(CommandContext& context) {
  return context.stores().store(Store::core);
}

int run_create(CommandContext& context, const Arguments& arguments) {
  Tenant tenant{.slug = arguments.text("--slug").value_or(""), .name = *arguments.text("NAME")};
  read_fields(tenants, arguments, tenant);
  show_change(context.output(), tenants, Tenants(core_of(context)).create(context.scope(), tenant),
              "created");
  return 0;
}

int run_update(CommandContext& context, const Arguments& arguments) {
  const OpenStore store = core_of(context);
  const Uuid id = store.read(context.scope(),
                             [&](Reader& reader) { return reader.find_id(tenants, *arguments.text("ID")); });
  const Tenant updated = Tenants(store).update(context.scope(), TenantId(id), [&](Tenant& tenant) {
    read_fields(tenants, arguments, tenant);
    if (const auto name = arguments.text("--name")) tenant.name = *name;
  });
  show_change(context.output(), tenants, updated, "updated");
  return 0;
}

std::vector<Argument> with_fields(Argument first) {
  std::vector<Argument> options = field_options(tenants);
  options.insert(options.begin(), std::move(first));
  return options;
}

Command create_command() {
  return {
      .name = "create",
      .summary = "make a tenant and print its id",
      .operands =
          {{.name = "NAME", .type = ArgumentType::text, .description = "name for people", .required = true}},
      .options =
          with_fields({.name = "--slug",
                       .value_name = "SLUG",
                       .type = ArgumentType::text,
                       .description = "its name in commands (default: made from NAME); it never changes"}),
      .example = "nerve-db tenant create 'Beta Ltd' --domain beta.example --seats 20 --workspace demo",
      .run = &run_create};
}

Command update_command() {
  return {.name = "update",
          .summary = "change a tenant: its name, domains, seats, status",
          .description = "What no option names stays as it is; an empty text takes away what may be absent.",
          .operands = {record_operand(tenants)},
          .options = with_fields({.name = "--name",
                                  .value_name = "NAME",
                                  .type = ArgumentType::text,
                                  .description = "name for people"}),
          .example = "nerve-db tenant update acme --seats 30 --workspace demo",
          .run = &run_update};
}

Membership with_role(const Arguments& arguments) {
  Membership membership;
  read_fields(memberships, arguments, membership);
  return membership;
}

UserId user_from(const Arguments& arguments) {
  return UserId::parse(*arguments.text("USER"));
}

int run_member_add(CommandContext& context, const Arguments& arguments) {
  const Membership made =
      Members(core_of(context))
          .join(context.tenant_scope(arguments), user_from(arguments), with_role(arguments).role);
  show_change(context.output(), memberships, made, "added");
  return 0;
}

int run_member_remove(CommandContext& context, const Arguments& arguments) {
  context.require_confirmation("Let the user leave the tenant? The time in it stays on record.");
  const Membership left =
      Members(core_of(context)).leave(context.tenant_scope(arguments), user_from(arguments));
  show_change(context.output(), memberships, left, "ended");
  return 0;
}

int run_member_primary(CommandContext& context, const Arguments& arguments) {
  const Membership primary =
      Members(core_of(context)).set_primary(context.tenant_scope(arguments), user_from(arguments));
  show_change(context.output(), memberships, primary, "made primary");
  return 0;
}

Argument user_operand() {
  return {.name = "USER", .type = ArgumentType::text, .description = "id of the user", .required = true};
}

Command member_command() {
  std::vector<Argument> add_options = field_options(memberships);
  add_options.push_back(tenant_option());
  const std::string user = "01a1ff19-c530-7703-a60e-7aebf872e0b";
  std::vector<Command> verbs;
  verbs.push_back(
      {.name = "add",
       .summary = "let a user join a tenant",
       .operands = {user_operand()},
       .options = std::move(add_options),
       .example = "nerve-db tenant member add " + user + "3 --role analyst --tenant acme --workspace demo",
       .run = &run_member_add});
  verbs.push_back(
      {.name = "remove",
       .summary = "let a user leave a tenant",
       .description = "Who comes back begins a new time in it. Asks first.",
       .operands = {user_operand()},
       .options = {yes_option(), tenant_option()},
       .example = "nerve-db tenant member remove " + user + "4 --yes --tenant acme --workspace demo",
       .run = &run_member_remove});
  verbs.push_back({.name = "primary",
                   .summary = "make a tenant the one that a user begins with",
                   .operands = {user_operand()},
                   .options = {tenant_option()},
                   .example = "nerve-db tenant member primary " + user + "5 --tenant acme --workspace demo",
                   .run = &run_member_primary});
  return record_command(memberships, {.summary = "show and change who belongs to a tenant",
                                      .verbs = {Verb::list},
                                      .more = std::move(verbs)});
}

}  // namespace

std::vector<Command> commands() {
  std::vector<Command> verbs;
  verbs.push_back(create_command());
  verbs.push_back(update_command());
  verbs.push_back(member_command());
  return {record_command(tenants,
                         {.summary = "manage tenants: companies or customers whose data is kept apart",
                          .verbs = {Verb::list, Verb::show, Verb::remove, Verb::restore},
                          .more = std::move(verbs),
                          .example = "acme",
                          .removed_example = "gone",
                          .remove = [](const OpenStore& store, const Scope& scope,
                                       const Uuid& id) { Tenants(store).remove(scope, TenantId(id)); },
                          .restore = [](const OpenStore& store, const Scope& scope,
                                        const Uuid& id) { Tenants(store).restore(scope, TenantId(id)); }})};
}

}  // namespace nerve::tenancy
