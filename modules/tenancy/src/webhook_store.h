// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/transaction.h"
#include "nerve/tenancy/webhooks.h"

#include <optional>
#include <vector>

namespace nerve::tenancy {

/// False where the tenant has a webhook of this name.
bool insert_webhook(db::Transaction& transaction, const Webhook& webhook);
/// False where the tenant has no webhook with this id that is not in this state yet.
bool set_webhook_deleted(db::Transaction& transaction, const TenantId& tenant, const WebhookId& id,
                         const std::optional<Timestamp>& deleted_at);
std::vector<Webhook> list_webhooks(db::Transaction& transaction, const TenantId& tenant,
                                   const WebhookQuery& query);

}  // namespace nerve::tenancy
