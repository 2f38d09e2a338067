// SPDX-License-Identifier: Apache-2.0
#include "outbox_store.h"

#include "nerve/core/json.h"
#include "nerve/core/text.h"
#include "nerve/db/dialect.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>

namespace nerve::workspace {

namespace {

constexpr std::string_view columns =
    "id, topic, number, payload, created_at, attempts, state, next_attempt_at, last_error, delivered_at";

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

std::vector<TrackedMessage> read_messages(db::Transaction& transaction, const std::string& sql,
                                          std::span<const db::Parameter> parameters) {
  std::vector<TrackedMessage> messages;
  transaction.each<OutboxMessageId, std::string, std::int64_t, std::string, Timestamp, std::int64_t,
                   MessageState, Timestamp, std::optional<std::string>, std::optional<Timestamp>>(
      sql, db::Parameters(parameters),
      [&](const OutboxMessageId& id, std::string topic, std::int64_t number, std::string payload,
          Timestamp created_at, std::int64_t attempts, MessageState state, Timestamp next_attempt_at,
          std::optional<std::string> last_error, std::optional<Timestamp> delivered_at) {
        messages.push_back({{id, std::move(topic), number, std::move(payload), created_at, attempts},
                            state,
                            next_attempt_at,
                            std::move(last_error),
                            delivered_at});
      });
  return messages;
}

}  // namespace

OutboxCounts count_messages(db::Transaction& transaction) {
  OutboxCounts counts;
  transaction.each<MessageState, std::int64_t, Timestamp>(
      "SELECT state, count(*), min(created_at) FROM outbox_messages WHERE state IN ('pending', 'dead') "
      "GROUP BY state",
      {}, [&](MessageState state, std::int64_t count, Timestamp oldest) {
        (state == MessageState::dead ? counts.dead : counts.pending) = count;
        if (state == MessageState::pending) counts.oldest_pending_at = oldest;
      });
  return counts;
}

std::vector<TrackedMessage> list_messages(db::Transaction& transaction, MessageState state,
                                          std::int64_t limit, const std::optional<OutboxMessageId>& after) {
  const std::vector<db::Parameter> parameters{
      {"state", state}, {"after", after.value_or(OutboxMessageId())}, {"limit", limit}};
  return read_messages(
      transaction,
      fmt::format("SELECT {} FROM outbox_messages WHERE state = :state AND id > :after ORDER BY "
                  "id LIMIT :limit",
                  columns),
      parameters);
}

bool revive(db::Transaction& transaction, const OutboxMessageId& id, Timestamp now) {
  return transaction.execute(
             "UPDATE outbox_messages SET state = 'pending', attempts = 0, next_attempt_at = :now "
             "WHERE id = :id AND state = 'dead'",
             {{"now", now}, {"id", id}}) == 1;
}

std::int64_t revive_all(db::Transaction& transaction, Timestamp now) {
  return transaction.execute(
      "UPDATE outbox_messages SET state = 'pending', attempts = 0, next_attempt_at = :now WHERE state = "
      "'dead'",
      {{"now", now}});
}

std::vector<std::string> pending_topics(db::Transaction& transaction) {
  std::vector<std::string> topics;
  transaction.each<std::string>(
      "SELECT topic FROM outbox_topics WHERE EXISTS (SELECT 1 FROM outbox_messages WHERE "
      "outbox_messages.topic = outbox_topics.topic AND state = 'pending') ORDER BY topic",
      {}, [&](std::string topic) { topics.push_back(std::move(topic)); });
  return topics;
}

std::vector<TrackedMessage> pending_of(db::Transaction& transaction, const std::string& topic,
                                       std::int64_t after, std::int64_t limit) {
  const std::vector<db::Parameter> parameters{{"topic", topic}, {"after", after}, {"limit", limit}};
  return read_messages(
      transaction,
      fmt::format("SELECT {} FROM outbox_messages WHERE topic = :topic AND state = 'pending' AND "
                  "number > :after ORDER BY number LIMIT :limit",
                  columns),
      parameters);
}

bool insert_receipt(db::Transaction& transaction, const OutboxMessage& message, Timestamp now) {
  return transaction.execute(
             "INSERT INTO outbox_receipts (message_id, topic, received_at) VALUES (:id, :topic, :now) "
             "ON CONFLICT DO NOTHING",
             {{"id", message.id}, {"topic", message.topic}, {"now", now}}) == 1;
}

void mark_delivered(db::Transaction& transaction, const OutboxMessageId& id, Timestamp now) {
  transaction.execute(
      "UPDATE outbox_messages SET state = 'delivered', delivered_at = :now, last_error = NULL WHERE id = :id "
      "AND "
      "state = 'pending'",
      {{"now", now}, {"id", id}});
}

MessageState mark_failed(db::Transaction& transaction, const OutboxMessage& message, const Error& error,
                         Timestamp now) {
  const std::int64_t attempts = message.attempts + 1;
  const MessageState state = attempts < attempts_max ? MessageState::pending : MessageState::dead;
  const std::string text = fmt::format("{}: {}", to_string(error.kind()), error.what());
  transaction.execute(
      "UPDATE outbox_messages SET state = :state, attempts = :attempts, next_attempt_at = :next, "
      "last_error = :error WHERE id = :id AND state = 'pending'",
      {{"state", state},
       {"attempts", attempts},
       {"next", now + pause_after(attempts)},
       {"error", cut_text(text, error_bytes_max)},
       {"id", message.id}});
  return state;
}

std::int64_t purge_delivered(db::Transaction& transaction, Timestamp before, std::int64_t limit) {
  return transaction.execute(
      "DELETE FROM outbox_messages WHERE id IN (SELECT id FROM outbox_messages WHERE state = 'delivered' AND "
      "delivered_at < :before ORDER BY delivered_at LIMIT :limit)",
      {{"before", before}, {"limit", limit}});
}

std::int64_t count_delivered(db::Transaction& transaction, Timestamp before) {
  return transaction.one<std::int64_t>(
      "SELECT count(*) FROM outbox_messages WHERE state = 'delivered' AND delivered_at < :before",
      {{"before", before}});
}

std::vector<Uuid> old_receipts(db::Transaction& transaction, Timestamp before, const Uuid& after,
                               std::int64_t limit) {
  std::vector<Uuid> ids;
  transaction.each<Uuid>(
      "SELECT message_id FROM outbox_receipts WHERE received_at < :before AND message_id > :after "
      "ORDER BY message_id LIMIT :limit",
      {{"before", before}, {"after", after}, {"limit", limit}}, [&](const Uuid& id) { ids.push_back(id); });
  return ids;
}

std::vector<Uuid> undelivered_of(db::Transaction& transaction, const std::vector<Uuid>& ids) {
  std::vector<Uuid> undelivered;
  transaction.each<Uuid>("SELECT id FROM outbox_messages WHERE state <> 'delivered' AND id IN " +
                             bound_ids(transaction.dialect()) + " ORDER BY id",
                         {{"ids", id_list(ids)}}, [&](const Uuid& id) { undelivered.push_back(id); });
  return undelivered;
}

std::int64_t purge_receipts(db::Transaction& transaction, const std::vector<Uuid>& ids) {
  return transaction.execute(
      "DELETE FROM outbox_receipts WHERE message_id IN " + bound_ids(transaction.dialect()),
      {{"ids", id_list(ids)}});
}

}  // namespace nerve::workspace
