// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/db/codec.h"
#include "nerve/db/tenant_setting.h"
#include "nerve/record_ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace nerve {

/// What acts.
enum class ActorKind : std::uint8_t {
  operator_of_machine,  ///< whoever may run the program on the machine, by the name of the OS user
  user,
  api_key,
  job,
};

struct Actor {
  ActorKind kind = ActorKind::operator_of_machine;
  std::optional<Uuid> id = std::nullopt;  ///< of the user or API key
  std::string name = {};                  ///< of the OS user or the job

  static Actor operator_named(std::string name) { return {.name = std::move(name)}; }
  static Actor job_named(std::string name) { return {.kind = ActorKind::job, .name = std::move(name)}; }
};

/// Which rows of tenant-owned tables are seen and written.
enum class Reach : std::uint8_t {
  workspace,    ///< none
  tenant,       ///< those of one tenant
  all_tenants,  ///< those of every tenant: for what asks who belongs where, and for jobs
};

/// Who acts, for which tenant, and why. Every read and write of a module happens in one.
struct Scope {
  Reach reach = Reach::workspace;
  TenantId tenant = {};  ///< where the reach is one tenant
  Actor actor = {};
  std::optional<Uuid> request_id = std::nullopt;
  std::optional<Uuid> session_id = std::nullopt;
  std::string address = {};  ///< where the request came from; empty: from this machine
  std::string reason = {};   ///< what people or the program gave as the reason

  static Scope of_workspace(Actor actor) { return {.actor = std::move(actor)}; }
  static Scope of_tenant(const TenantId& tenant, Actor actor) {
    return {.reach = Reach::tenant, .tenant = tenant, .actor = std::move(actor)};
  }
  /// `reason` says why no single tenant will do.
  static Scope across_tenants(Actor actor, std::string reason) {
    return {.reach = Reach::all_tenants, .actor = std::move(actor), .reason = std::move(reason)};
  }
  /// The same for row-level security on PostgreSQL.
  db::TenantSetting setting() const {
    if (reach == Reach::all_tenants) return db::TenantSetting::all();
    return reach == Reach::tenant ? db::TenantSetting::one(tenant.uuid()) : db::TenantSetting::none();
  }
  /// The tenant, where the reach is one.
  std::optional<TenantId> only_tenant() const {
    return reach == Reach::tenant ? std::optional(tenant) : std::nullopt;
  }
  /// The same actor and request for all tenants, where no single one will do for the reason that is given.
  Scope across(std::string why) const {
    Scope scope = *this;
    scope.reach = Reach::all_tenants;
    scope.reason = std::move(why);
    return scope;
  }
  /// The same actor and request for one tenant.
  Scope narrowed_to(const TenantId& one) const {
    Scope scope = *this;
    scope.reach = Reach::tenant;
    scope.tenant = one;
    return scope;
  }
};

}  // namespace nerve

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<ActorKind>[] = {"operator", "user", "api_key", "job"};

}  // namespace nerve::db
