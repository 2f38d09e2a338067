// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/secret.h"
#include "nerve/core/time.h"
#include "nerve/record_ids.h"
#include "nerve/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nerve::tenancy {

using WebhookId = Id<struct WebhookTag>;

/// Where a tenant wants to be told of events.
struct Webhook {
  WebhookId id;
  TenantId tenant;
  std::string name;  ///< unique in its tenant, deleted ones included
  std::string url;
  std::vector<std::string> events;
  std::optional<std::string> secret_hash;  ///< SHA-256 in hexadecimal; enough to recognise the secret
  Timestamp created_at;
  std::optional<Timestamp> deleted_at;
};

struct NewWebhook {
  std::string name;
  std::string url;  ///< https only, without user and password
  std::vector<std::string> events = {};
  const Secret* secret = nullptr;  ///< only its hash is kept
};

struct WebhookQuery {
  static constexpr std::int64_t limit_default = 100;

  std::int64_t limit = limit_default;
  std::optional<WebhookId> after = std::nullopt;
};

/// The webhooks of tenants. Every function is for one tenant and sees nothing of the others.
class Webhooks {
 public:
  /// Of the core store.
  explicit Webhooks(const OpenStore& store) : store_(store) {}

  /// Throws ValidationError, NotFoundError for a tenant that is not there or deleted, ConflictError for a
  /// name that is taken.
  Webhook add(const TenantId& tenant, const NewWebhook& webhook);
  /// Throws NotFoundError.
  void erase(const TenantId& tenant, const WebhookId& id);
  void restore(const TenantId& tenant, const WebhookId& id);
  /// Those that are not deleted, in the order of their ids, at most `limit`.
  std::vector<Webhook> list(const TenantId& tenant, const WebhookQuery& query = {});

 private:
  OpenStore store_;
};

}  // namespace nerve::tenancy
