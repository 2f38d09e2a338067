// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/change.h"
#include "nerve/core/json.h"
#include "nerve/outbox.h"
#include "nerve/record.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nerve::workspace {

/// How often a message is tried before it is dead, with pauses that double from the first to the longest:
/// more than six hours in all.
inline constexpr std::int64_t attempts_max = 16;
inline constexpr std::chrono::seconds pause_first{5};
inline constexpr std::chrono::seconds pause_max{3600};

extern const Record<OutboxMessage> outbox_messages;

/// Adds a message to the other store, whose receiver works for the tenant of this change's scope. A payload
/// names records by their ids; it holds no personal data and no secrets. It is written at the end of the
/// change, because on PostgreSQL senders of one topic wait for each other until they commit.
OutboxMessageId send_message(Change& change, std::string_view topic, const Json& payload);

struct OutboxCounts {
  std::int64_t pending = 0;
  std::int64_t dead = 0;
  std::optional<Timestamp> oldest_pending_at;
};

OutboxCounts count_messages(Reader& reader);

/// Makes a dead message pending again with all its attempts; false where there is no dead one of this id.
bool revive(Change& change, const OutboxMessageId& id);
/// All dead ones; returns how many there were.
std::int64_t revive_all(Change& change);

}  // namespace nerve::workspace
