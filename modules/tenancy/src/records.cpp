// SPDX-License-Identifier: Apache-2.0
#include "records.h"

namespace nerve::tenancy {

namespace {

constexpr Field tenant_fields[] = {
    field<&Tenant::id>("id").listed(),
    field<&Tenant::slug>("slug").natural_key().immutable().listed(),
    field<&Tenant::name>("name").listed(),
    field<&Tenant::status>("status").listed().given_by("--status", "active or suspended"),
    field<&Tenant::primary_domain>("primary_domain").given_by("--domain", "primary domain"),
    field<&Tenant::additional_domains>("additional_domains")
        .given_by("--additional-domain", "another domain; may be given several times"),
    field<&Tenant::subscription_tier>("subscription_tier")
        .listed()
        .given_by("--tier", "subscription (default: basic)"),
    field<&Tenant::subscription_status>("subscription_status")
        .given_by("--subscription", "as billing has it; 'suspended' suspends the tenant"),
    field<&Tenant::max_seats>("max_seats").given_by("--seats", "members it may have (default: 1)"),
    field<&Tenant::max_domains>("max_domains").given_by("--domains", "domains it may have (default: 1)"),
    field<&Tenant::billing_email>("billing_email").personal().given_by("--billing-email", "where bills go"),
    field<&Tenant::owner_user_id>("owner_user_id").personal(),
    field<&Tenant::created_at>("created_at").listed(),
    field<&Tenant::updated_at>("updated_at"),
    field<&Tenant::deleted_at>("deleted_at"),
};

constexpr Field membership_fields[] = {
    field<&Membership::id>("id").listed(),
    field<&Membership::user_id>("user_id").personal().immutable().listed(),
    field<&Membership::role>("role").listed().given_by("--role",
                                                       "what it is in the tenant (default: member)"),
    field<&Membership::is_primary>("is_primary").listed(),
    field<&Membership::joined_at>("joined_at").personal().immutable().listed(),
    field<&Membership::left_at>("left_at").personal().listed(),
    field<&Membership::created_at>("created_at"),
    field<&Membership::updated_at>("updated_at"),
    field<&Membership::deleted_at>("deleted_at"),
};

/// Kept for the notifier that will send to them; nothing writes it yet.
struct Webhook {
  Id<struct WebhookTag> id;
  std::string name;
  std::string url;
  std::vector<std::string> events;
  std::optional<std::string> secret_hash;
  Timestamp created_at;
  Timestamp updated_at;
  std::optional<Timestamp> deleted_at;
};

constexpr Field webhook_fields[] = {
    field<&Webhook::id>("id").listed(),
    field<&Webhook::name>("name").natural_key().listed(),
    field<&Webhook::url>("url").listed(),
    field<&Webhook::events>("events"),
    field<&Webhook::secret_hash>("secret_hash").secret(),
    field<&Webhook::created_at>("created_at"),
    field<&Webhook::updated_at>("updated_at"),
    field<&Webhook::deleted_at>("deleted_at"),
};

constinit const Record<Webhook> webhook_record({.table = "webhooks",
                                                .noun = "webhook",
                                                .classification = Classification::confidential,
                                                .is_tenant_owned = true,
                                                .has_creator = true},
                                               webhook_fields);

}  // namespace

constinit const Record<Tenant> tenants({.table = "tenants",
                                        .noun = "tenant",
                                        .command = "tenant",
                                        .classification = Classification::confidential,
                                        .is_tenant = true,
                                        .has_creator = true,
                                        .always = "id <> '00000000-0000-0000-0000-000000000000'"},
                                       tenant_fields);

constinit const Record<Membership> memberships({.table = "tenant_members",
                                                .noun = "member",
                                                .command = "tenant member",
                                                .classification = Classification::confidential,
                                                .is_tenant_owned = true,
                                                .has_creator = true},
                                               membership_fields);

const RecordType& webhooks = webhook_record;

}  // namespace nerve::tenancy
