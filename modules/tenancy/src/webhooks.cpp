// SPDX-License-Identifier: Apache-2.0
#include "nerve/tenancy/webhooks.h"

#include "webhook_store.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/crypto/hash.h"
#include "nerve/tenancy/tenants.h"
#include "nerve/validate/fields.h"

#include <fmt/format.h>

namespace nerve::tenancy {

namespace {

constexpr std::size_t webhook_name_length_max = 100;
constexpr std::size_t url_length_max = 2048;
constexpr std::size_t events_max = 100;
/// A shorter secret could be guessed from its hash.
constexpr std::size_t secret_bytes_min = 32;

Webhook checked(const TenantId& tenant, const NewWebhook& given, Timestamp now) {
  validate::Fields fields("webhook");
  Webhook webhook;
  webhook.id = new_id<WebhookTag>();
  webhook.tenant = tenant;
  webhook.name = fields.name("name", given.name, webhook_name_length_max);
  webhook.url = fields.https_url("url", given.url, url_length_max);
  fields.require(given.events.size() <= events_max, "events", "max_items",
                 fmt::format("has more than {} items", events_max));
  for (const std::string& event : given.events)
    webhook.events.push_back(fields.name("events", event, webhook_name_length_max));
  if (given.secret != nullptr) {
    fields.require(given.secret->size() >= secret_bytes_min, "secret", "min_length",
                   fmt::format("has fewer than {} bytes", secret_bytes_min));
    webhook.secret_hash = to_hex(crypto::sha256(given.secret->reveal()));
  }
  webhook.created_at = now;
  fields.finish();
  return webhook;
}

[[noreturn]] void throw_no_webhook() {
  throw NotFoundError("the tenant has no such webhook", "List the tenant's webhooks.");
}

}  // namespace

Webhook Webhooks::add(const TenantId& tenant, const NewWebhook& given) {
  Webhook webhook = checked(tenant, given, store_.clock.now());
  store_.database.write([&](db::Transaction& transaction) {
    const Tenant owner = require_live_tenant(transaction, tenant);
    if (!insert_webhook(transaction, webhook)) {
      throw ConflictError(fmt::format("the tenant {} has a webhook of this name already", owner.slug),
                          "Choose another name, or restore the deleted one.");
    }
  });
  return webhook;
}

void Webhooks::erase(const TenantId& tenant, const WebhookId& id) {
  const bool is_found = store_.database.write([&](db::Transaction& transaction) {
    return set_webhook_deleted(transaction, tenant, id, store_.clock.now());
  });
  if (!is_found) throw_no_webhook();
}

void Webhooks::restore(const TenantId& tenant, const WebhookId& id) {
  const bool is_found = store_.database.write([&](db::Transaction& transaction) {
    return set_webhook_deleted(transaction, tenant, id, std::nullopt);
  });
  if (!is_found) throw_no_webhook();
}

std::vector<Webhook> Webhooks::list(const TenantId& tenant, const WebhookQuery& query) {
  return store_.database.read(
      [&](db::Transaction& transaction) { return list_webhooks(transaction, tenant, query); });
}

}  // namespace nerve::tenancy
