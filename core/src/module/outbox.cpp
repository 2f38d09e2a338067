// SPDX-License-Identifier: Apache-2.0
#include "nerve/outbox.h"

namespace nerve {

OutboxMessageId send_message(db::Transaction& transaction, std::string_view topic, const Json& payload,
                             Timestamp now) {
  const auto id = new_id<OutboxMessageTag>();
  const auto number = transaction.one<std::int64_t>(
      "INSERT INTO outbox_topics (topic, last_number) VALUES (:topic, 1) "
      "ON CONFLICT (topic) DO UPDATE SET last_number = outbox_topics.last_number + 1 RETURNING last_number",
      {{"topic", topic}});
  transaction.execute(
      "INSERT INTO outbox_messages (id, topic, number, payload, next_attempt_at, created_at) "
      "VALUES (:id, :topic, :number, :payload, :now, :now)",
      {{"id", id}, {"topic", topic}, {"number", number}, {"payload", payload}, {"now", now}});
  return id;
}

}  // namespace nerve
