// SPDX-License-Identifier: Apache-2.0
#include "webhook_store.h"

#include "nerve/core/json.h"

#include <nlohmann/json.hpp>

#include <string>

namespace nerve::tenancy {

bool insert_webhook(db::Transaction& transaction, const Webhook& webhook) {
  return transaction.execute(
             "INSERT INTO webhooks (id, tenant_id, name, url, events, secret_hash, created_at, updated_at) "
             "VALUES "
             "(:id, :tenant, :name, :url, :events, :secret_hash, :now, :now) ON CONFLICT DO NOTHING",
             {{"id", webhook.id},
              {"tenant", webhook.tenant},
              {"name", webhook.name},
              {"url", webhook.url},
              {"events", Json(webhook.events)},
              {"secret_hash", webhook.secret_hash},
              {"now", webhook.created_at}}) == 1;
}

bool set_webhook_deleted(db::Transaction& transaction, const TenantId& tenant, const WebhookId& id,
                         const std::optional<Timestamp>& deleted_at) {
  const std::string_view sql =
      deleted_at ? "UPDATE webhooks SET deleted_at = :deleted_at WHERE tenant_id = :tenant AND id = :id AND "
                   "deleted_at IS NULL"
                 : "UPDATE webhooks SET deleted_at = :deleted_at WHERE tenant_id = :tenant AND id = :id AND "
                   "deleted_at IS NOT NULL";
  return transaction.execute(sql, {{"deleted_at", deleted_at}, {"tenant", tenant}, {"id", id}}) == 1;
}

std::vector<Webhook> list_webhooks(db::Transaction& transaction, const TenantId& tenant,
                                   const WebhookQuery& query) {
  std::vector<Webhook> webhooks;
  transaction.each<WebhookId, std::string, std::string, Json, std::optional<std::string>, Timestamp>(
      "SELECT id, name, url, events, secret_hash, created_at FROM webhooks WHERE tenant_id = :tenant AND "
      "deleted_at IS NULL AND id > :after ORDER BY id LIMIT :limit",
      {{"tenant", tenant}, {"after", query.after.value_or(WebhookId())}, {"limit", query.limit}},
      [&](const WebhookId& id, std::string name, std::string url, const Json& events,
          std::optional<std::string> secret_hash, Timestamp created_at) {
        webhooks.push_back({.id = id,
                            .tenant = tenant,
                            .name = std::move(name),
                            .url = std::move(url),
                            .events = events.get<std::vector<std::string>>(),
                            .secret_hash = std::move(secret_hash),
                            .created_at = created_at,
                            .deleted_at = std::nullopt});
      });
  return webhooks;
}

}  // namespace nerve::tenancy
