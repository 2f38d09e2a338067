// SPDX-License-Identifier: Apache-2.0
#include "nerve/core/json.h"
#include "nerve/workspace/outbox.h"

#include <nlohmann/json.hpp>

#include <string>

namespace nerve::workspace {

OutboxMessageId send_message(Change& change, std::string_view topic, const Json& payload) {
  const auto id = new_id<OutboxMessageTag>();
  change.before_commit([id, topic = std::string(topic), payload](Change& last) {
    const auto number = last.one<std::int64_t>(
        "INSERT INTO outbox_topics (topic, last_number) VALUES (:topic, 1) "
        "ON CONFLICT (topic) DO UPDATE SET last_number = outbox_topics.last_number + 1 RETURNING last_number",
        {{"topic", topic}});
    last.execute(
        "INSERT INTO outbox_messages (id, topic, number, payload, for_tenant_id, next_attempt_at, "
        "created_at) "
        "VALUES (:id, :topic, :number, :payload, :for_tenant, :now, :now)",
        {{"id", id},
         {"topic", topic},
         {"number", number},
         {"payload", payload},
         {"for_tenant", last.scope().only_tenant()},
         {"now", last.now()}});
  });
  return id;
}

}  // namespace nerve::workspace
