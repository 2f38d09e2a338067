// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/db/transaction.h"
#include "nerve/outbox.h"
#include "nerve/workspace/outbox_state.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerve::workspace {

/// Topics with pending messages, by name.
std::vector<std::string> pending_topics(db::Transaction& transaction);
/// The next pending messages of a topic after number `after`, at most `limit`.
std::vector<TrackedMessage> pending_of(db::Transaction& transaction, const std::string& topic,
                                       std::int64_t after, std::int64_t limit);

/// False where the message has a receipt already.
bool insert_receipt(db::Transaction& transaction, const OutboxMessage& message, Timestamp now);

void mark_delivered(db::Transaction& transaction, const OutboxMessageId& id, Timestamp now);
/// Counts the attempt, and sets the time of the next one or ends the message. Returns its state.
MessageState mark_failed(db::Transaction& transaction, const OutboxMessage& message, const Error& error,
                         Timestamp now);

/// Removes messages that were delivered before `before`, at most `limit`.
std::int64_t purge_delivered(db::Transaction& transaction, Timestamp before, std::int64_t limit);
std::int64_t count_delivered(db::Transaction& transaction, Timestamp before);

/// Ids of receipts written before `before`, in the order of their ids after `after`, at most `limit`.
std::vector<Uuid> old_receipts(db::Transaction& transaction, Timestamp before, const Uuid& after,
                               std::int64_t limit);
/// Those of the ids whose messages, in the store they came from, are not delivered yet: they would come
/// again.
std::vector<Uuid> undelivered_of(db::Transaction& transaction, const std::vector<Uuid>& ids);
std::int64_t purge_receipts(db::Transaction& transaction, const std::vector<Uuid>& ids);

}  // namespace nerve::workspace
