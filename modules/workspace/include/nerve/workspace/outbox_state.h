// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/transaction.h"
#include "nerve/outbox.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::workspace {

/// How often a message is tried before it is dead, with pauses that double from the first to the longest:
/// more than six hours in all.
inline constexpr std::int64_t attempts_max = 16;
inline constexpr std::chrono::seconds pause_first{5};
inline constexpr std::chrono::seconds pause_max{3600};

enum class MessageState : std::uint8_t { pending, delivered, dead };

/// A message with how its delivery stands.
struct TrackedMessage {
  OutboxMessage message;
  MessageState state = MessageState::pending;
  Timestamp next_attempt_at;
  std::optional<std::string> last_error;
  std::optional<Timestamp> delivered_at;
};

struct OutboxCounts {
  std::int64_t pending = 0;
  std::int64_t dead = 0;
  std::optional<Timestamp> oldest_pending_at;
};

OutboxCounts count_messages(db::Transaction& transaction);

/// The messages of one state in the order of their ids, at most `limit`, after the message `after`.
std::vector<TrackedMessage> list_messages(db::Transaction& transaction, MessageState state,
                                          std::int64_t limit, const std::optional<OutboxMessageId>& after);

/// Makes a dead message pending again with all its attempts; false where there is no dead one of this id.
bool revive(db::Transaction& transaction, const OutboxMessageId& id, Timestamp now);
/// All dead ones; returns how many there were.
std::int64_t revive_all(db::Transaction& transaction, Timestamp now);

}  // namespace nerve::workspace

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<workspace::MessageState>[] = {"pending", "delivered", "dead"};

}  // namespace nerve::db
