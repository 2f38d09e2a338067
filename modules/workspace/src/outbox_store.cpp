// SPDX-License-Identifier: Apache-2.0
#include "outbox_store.h"

#include "records.h"

#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>

namespace nerve::workspace {

namespace {

constexpr std::size_t error_bytes_max = 500;  ///< of the column

std::chrono::microseconds pause_after(std::int64_t failed_attempts) {
  std::chrono::seconds pause = pause_first;
  for (std::int64_t i = 1; i < failed_attempts && pause < pause_max; ++i) pause *= 2;
  return std::min(pause, pause_max);
}

Json id_list(const std::vector<Uuid>& ids) {
  Json list = Json::array();
  for (const Uuid& id : ids) list.push_back(id.to_string());
  return list;
}

/// "(SELECT … FROM …)": the ids bound as `:ids`.
std::string bound_ids(db::Dialect dialect) {
  return fmt::format("(SELECT {} FROM {})", db::id_expression(dialect, "value"),
                     db::elements_expression(dialect, "ids"));
}

}  // namespace

OutboxCounts count_messages(Reader& reader) {
  OutboxCounts counts;
  reader.each<MessageState, std::int64_t, Timestamp>(
      "SELECT state, count(*), min(created_at) FROM outbox_messages WHERE state IN ('pending', 'dead') "
      "GROUP BY state",
      {}, [&](MessageState state, std::int64_t count, Timestamp oldest) {
        (state == MessageState::dead ? counts.dead : counts.pending) = count;
        if (state == MessageState::pending) counts.oldest_pending_at = oldest;
      });
  return counts;
}

bool revive(Change& change, const OutboxMessageId& id) {
  return change.execute(
             "UPDATE outbox_messages SET state = 'pending', attempts = 0, next_attempt_at = :now "
             "WHERE id = :id AND state = 'dead'",
             {{"now", change.now()}, {"id", id}}) == 1;
}

std::int64_t revive_all(Change& change) {
  return change.execute(
      "UPDATE outbox_messages SET state = 'pending', attempts = 0, next_attempt_at = :now WHERE state = "
      "'dead'",
      {{"now", change.now()}});
}

std::vector<std::string> pending_topics(Reader& reader) {
  std::vector<std::string> topics;
  reader.each<std::string>(
      "SELECT topic FROM outbox_topics WHERE EXISTS (SELECT 1 FROM outbox_messages WHERE "
      "outbox_messages.topic = outbox_topics.topic AND state = 'pending') ORDER BY topic",
      {}, [&](std::string topic) { topics.push_back(std::move(topic)); });
  return topics;
}

std::vector<OutboxMessage> pending_of(Reader& reader, const std::string& topic, std::int64_t after,
                                      std::int64_t limit) {
  return reader.select(outbox_messages, "topic = :topic AND state = 'pending' AND number > :after",
                       {{"topic", topic}, {"after", after}}, {.order_by = "number", .limit = limit});
}

bool insert_receipt(Change& change, const OutboxMessage& message) {
  return change.try_insert(outbox_receipts, {message.id, message.topic, change.now()}).has_value();
}

void mark_delivered(Change& change, const OutboxMessageId& id) {
  change.execute(
      "UPDATE outbox_messages SET state = 'delivered', delivered_at = :now, last_error = NULL WHERE id = :id "
      "AND state = 'pending'",
      {{"now", change.now()}, {"id", id}});
}

MessageState mark_failed(Change& change, const OutboxMessage& message, const Error& error) {
  const std::int64_t attempts = message.attempts + 1;
  const MessageState state = attempts < attempts_max ? MessageState::pending : MessageState::dead;
  const std::string text = fmt::format("{}: {}", to_string(error.kind()), error.what());
  change.execute(
      "UPDATE outbox_messages SET state = :state, attempts = :attempts, next_attempt_at = :next, "
      "last_error = :error WHERE id = :id AND state = 'pending'",
      {{"state", state},
       {"attempts", attempts},
       {"next", change.now() + pause_after(attempts)},
       {"error", cut_text(text, error_bytes_max)},
       {"id", message.id}});
  return state;
}

std::int64_t purge_delivered(Change& change, Timestamp before, std::int64_t limit) {
  return change.execute(
      "DELETE FROM outbox_messages WHERE id IN (SELECT id FROM outbox_messages WHERE state = 'delivered' AND "
      "delivered_at < :before ORDER BY delivered_at LIMIT :limit)",
      {{"before", before}, {"limit", limit}});
}

std::int64_t count_delivered(Reader& reader, Timestamp before) {
  return reader.one<std::int64_t>(
      "SELECT count(*) FROM outbox_messages WHERE state = 'delivered' AND delivered_at < :before",
      {{"before", before}});
}

std::vector<Uuid> old_receipts(Reader& reader, Timestamp before, const Uuid& after, std::int64_t limit) {
  std::vector<Uuid> ids;
  reader.each<Uuid>(
      "SELECT message_id FROM outbox_receipts WHERE received_at < :before AND message_id > :after "
      "ORDER BY message_id LIMIT :limit",
      {{"before", before}, {"after", after}, {"limit", limit}}, [&](const Uuid& id) { ids.push_back(id); });
  return ids;
}

std::vector<Uuid> undelivered_of(Reader& reader, const std::vector<Uuid>& ids) {
  std::vector<Uuid> undelivered;
  reader.each<Uuid>("SELECT id FROM outbox_messages WHERE state <> 'delivered' AND id IN " +
                        bound_ids(reader.dialect()) + " ORDER BY id",
                    {{"ids", id_list(ids)}}, [&](const Uuid& id) { undelivered.push_back(id); });
  return undelivered;
}

std::int64_t purge_receipts(Change& change, const std::vector<Uuid>& ids) {
  return change.execute("DELETE FROM outbox_receipts WHERE message_id IN " + bound_ids(change.dialect()),
                        {{"ids", id_list(ids)}});
}

}  // namespace nerve::workspace
