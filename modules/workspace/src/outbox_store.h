// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/workspace/outbox.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nerve::workspace {

/// Topics with pending messages, by name.
std::vector<std::string> pending_topics(Reader& reader);
/// The next pending messages of a topic after number `after`, at most `limit`.
std::vector<OutboxMessage> pending_of(Reader& reader, const std::string& topic, std::int64_t after,
                                      std::int64_t limit);

/// False where the message has a receipt already.
bool insert_receipt(Change& change, const OutboxMessage& message);

void mark_delivered(Change& change, const OutboxMessageId& id);
/// Counts the attempt, and sets the time of the next one or ends the message. Returns its state.
MessageState mark_failed(Change& change, const OutboxMessage& message, const Error& error);

/// Removes messages that were delivered before `before`, at most `limit`.
std::int64_t purge_delivered(Change& change, Timestamp before, std::int64_t limit);
std::int64_t count_delivered(Reader& reader, Timestamp before);

/// Ids of receipts written before `before`, in the order of their ids after `after`, at most `limit`.
std::vector<Uuid> old_receipts(Reader& reader, Timestamp before, const Uuid& after, std::int64_t limit);
/// Those of the ids whose messages, in the store they came from, are not delivered yet: they would come
/// again.
std::vector<Uuid> undelivered_of(Reader& reader, const std::vector<Uuid>& ids);
std::int64_t purge_receipts(Change& change, const std::vector<Uuid>& ids);

}  // namespace nerve::workspace
