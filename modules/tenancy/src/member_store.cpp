// SPDX-License-Identifier: Apache-2.0
#include "member_store.h"

#include <fmt/format.h>

namespace nerve::tenancy {

namespace {

constexpr std::string_view is_current = "left_at IS NULL AND deleted_at IS NULL";

std::vector<Membership> read_members(db::Transaction& transaction, const std::string& rest,
                                     const std::vector<db::Parameter>& parameters) {
  std::vector<Membership> memberships;
  transaction.each<MembershipId, TenantId, UserId, MemberRole, bool, Timestamp, std::optional<Timestamp>>(
      "SELECT id, tenant_id, user_id, role, is_primary, joined_at, left_at FROM tenant_members WHERE " + rest,
      db::Parameters(std::span<const db::Parameter>(parameters)),
      [&](const MembershipId& id, const TenantId& tenant, const UserId& user, MemberRole role,
          bool is_primary, Timestamp joined_at, std::optional<Timestamp> left_at) {
        memberships.push_back({id, tenant, user, role, is_primary, joined_at, left_at});
      });
  return memberships;
}

std::string page_of(std::string_view owner_column, const MemberQuery& query) {
  return fmt::format("{} = :owner AND {} AND id > :after ORDER BY id LIMIT :limit", owner_column,
                     query.includes_former ? "deleted_at IS NULL" : is_current);
}

}  // namespace

bool insert_membership(db::Transaction& transaction, const Membership& membership) {
  return transaction.execute(
             "INSERT INTO tenant_members (id, tenant_id, user_id, role, is_primary, joined_at, created_at, "
             "updated_at) VALUES (:id, :tenant, :user, :role, :is_primary, :now, :now, :now) "
             "ON CONFLICT DO NOTHING",
             {{"id", membership.id},
              {"tenant", membership.tenant},
              {"user", membership.user},
              {"role", membership.role},
              {"is_primary", membership.is_primary},
              {"now", membership.joined_at}}) == 1;
}

std::optional<Membership> current_membership(db::Transaction& transaction, const TenantId& tenant,
                                             const UserId& user) {
  const auto found =
      read_members(transaction, fmt::format("tenant_id = :tenant AND user_id = :user AND {}", is_current),
                   {{"tenant", tenant}, {"user", user}});
  if (found.empty()) return std::nullopt;
  return found.front();
}

bool has_primary(db::Transaction& transaction, const UserId& user) {
  return transaction.one<bool>(
      fmt::format(
          "SELECT EXISTS (SELECT 1 FROM tenant_members WHERE user_id = :user AND is_primary = :yes AND {})",
          is_current),
      {{"user", user}, {"yes", true}});
}

void end_membership(db::Transaction& transaction, const MembershipId& id, Timestamp now) {
  transaction.execute("UPDATE tenant_members SET left_at = :now, is_primary = :no WHERE id = :id",
                      {{"now", now}, {"no", false}, {"id", id}});
}

void make_primary(db::Transaction& transaction, const UserId& user, const MembershipId& id) {
  transaction.execute(
      fmt::format(
          "UPDATE tenant_members SET is_primary = :no WHERE user_id = :user AND is_primary = :yes AND "
          "id <> :id AND {}",
          is_current),
      {{"no", false}, {"yes", true}, {"user", user}, {"id", id}});
  transaction.execute("UPDATE tenant_members SET is_primary = :yes WHERE id = :id",
                      {{"yes", true}, {"id", id}});
}

std::vector<Membership> members_of(db::Transaction& transaction, const TenantId& tenant,
                                   const MemberQuery& query) {
  return read_members(
      transaction, page_of("tenant_id", query),
      {{"owner", tenant}, {"after", query.after.value_or(MembershipId())}, {"limit", query.limit}});
}

std::vector<Membership> memberships_of(db::Transaction& transaction, const UserId& user,
                                       const MemberQuery& query) {
  return read_members(
      transaction, page_of("user_id", query),
      {{"owner", user}, {"after", query.after.value_or(MembershipId())}, {"limit", query.limit}});
}

}  // namespace nerve::tenancy
