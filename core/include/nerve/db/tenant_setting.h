// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"

#include <cstdint>
#include <string>

namespace nerve::db {

/// Whose rows a transaction is for, as PostgreSQL's policies of row-level security are told: the setting
/// `nerve.tenant` of that transaction.
///
/// It can only be one of three texts, so that none of a caller's ever gets into SQL:
///
///   none   an empty text: a policy that compares with a tenant's id lets no row pass
///   one    the id of a tenant, 36 characters, lower case
///   all    "*", for work across tenants: only a policy that asks for it lets rows pass
///
/// A policy reads it so (docs/database_port.md says why, and how to let "*" pass):
///
///   tenant_id = nullif(current_setting('nerve.tenant', true), '')::uuid
class TenantSetting {
 public:
  constexpr TenantSetting() noexcept = default;  ///< none
  static constexpr TenantSetting none() noexcept { return {}; }
  static constexpr TenantSetting one(const Uuid& tenant) noexcept { return {Kind::one, tenant}; }
  static constexpr TenantSetting all() noexcept { return {Kind::all, Uuid()}; }

  /// The setting's text. Without any character that SQL would have to escape.
  std::string text() const {
    switch (kind_) {
      case Kind::none:
        break;
      case Kind::one:
        return tenant_.to_string();
      case Kind::all:
        return "*";
    }
    return {};
  }

  friend constexpr bool operator==(const TenantSetting&, const TenantSetting&) noexcept = default;

 private:
  enum class Kind : std::uint8_t { none, one, all };

  constexpr TenantSetting(Kind kind, const Uuid& tenant) noexcept : kind_(kind), tenant_(tenant) {}

  Kind kind_ = Kind::none;
  Uuid tenant_;
};

}  // namespace nerve::db
