// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/id.h"
#include "nerve/core/json.h"
#include "nerve/core/time.h"
#include "nerve/db/transaction.h"
#include "nerve/store.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace nerve {

using OutboxMessageId = Id<struct OutboxMessageTag>;

/// Work for the other store.
///
/// It is written in the transaction whose consequence it is, so either both are there or neither. A job
/// carries it over and has its consumer do it: at least once by delivery, once by its effect, because the
/// receipt is written in the consumer's transaction. Messages of one topic arrive in the order in which they
/// were committed. One that fails is tried again, later each time, and is dead after the last attempt; those
/// behind a dead one go on.
struct OutboxMessage {
  OutboxMessageId id;
  std::string topic;
  std::int64_t number = 0;  ///< within its topic, from 1 without gaps
  std::string payload;      ///< JSON, for parse_json
  Timestamp created_at;
  std::int64_t attempts = 0;  ///< that failed
};

/// Adds a message. A payload names records by their ids; it holds no personal data and no secrets. On
/// PostgreSQL senders of one topic wait for each other until they commit: send last.
OutboxMessageId send_message(db::Transaction& transaction, std::string_view topic, const Json& payload,
                             Timestamp now);

/// Who does the work of a topic.
struct OutboxConsumer {
  std::string_view topic;
  Store receiver;  ///< the store where the work is done; messages come from the other one
  /// Runs inside a transaction of the receiver, with the receipt in it; what it throws undoes both.
  std::function<void(db::Transaction&, const OutboxMessage&)> receive;
};

}  // namespace nerve
