// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/core/time.h"
#include "nerve/db/codec.h"
#include "nerve/placement.h"
#include "nerve/record_ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nerve {

class Change;

using OutboxMessageId = Id<struct OutboxMessageTag>;

enum class MessageState : std::uint8_t { pending, delivered, dead };

/// Work for the other store.
///
/// It is written in the transaction whose consequence it is, so either both are there or neither. A job
/// carries it over and has its consumer do it: at least once by delivery, once by its effect, because the
/// receipt is written in the consumer's transaction. Messages of one topic arrive in the order in which they
/// were committed. One that fails is tried again, later each time, and is dead after the last attempt; those
/// behind a dead one go on.
struct OutboxMessage {
  OutboxMessageId id = {};
  std::string topic = {};
  std::int64_t number = 0;   ///< within its topic, from 1 without gaps
  std::string payload = {};  ///< JSON, for parse_json
  MessageState state = MessageState::pending;
  std::int64_t attempts = 0;  ///< that failed
  Timestamp next_attempt_at = {};
  std::optional<std::string> last_error = {};
  Timestamp created_at = {};
  std::optional<Timestamp> delivered_at = {};
  std::optional<TenantId> for_tenant_id = {};  ///< the sender's; the receiver works in its scope
};

/// Who does the work of a topic.
struct OutboxConsumer {
  std::string_view topic;
  Store receiver;  ///< the store where the work is done; messages come from the other one
  /// Runs inside a transaction of the receiver, with the receipt in it; what it throws undoes both.
  void (*receive)(Change& change, const OutboxMessage& message);
};

}  // namespace nerve

namespace nerve::db {

template <>
inline constexpr std::string_view enum_texts<MessageState>[] = {"pending", "delivered", "dead"};

}  // namespace nerve::db
