// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/record.h"
#include "nerve/workspace/outbox.h"
#include "nerve/workspace/store_identity.h"

#include <cstdint>
#include <string>

namespace nerve::workspace {

/// The last number of a topic.
struct OutboxTopic {
  std::string topic;
  std::int64_t last_number = 0;
};

/// That a message was received.
struct OutboxReceipt {
  OutboxMessageId message_id;
  std::string topic;
  Timestamp received_at;
};

/// A reference across the stores whose record was missing when the sweep looked.
struct OrphanReference {
  std::string table_name;
  std::string column_name;
  Uuid missing_id;
  Timestamp first_seen_at;
};

extern const Record<StoreIdentity> store_identities;
extern const Record<OutboxTopic> outbox_topics;
extern const Record<OutboxReceipt> outbox_receipts;
extern const Record<OrphanReference> orphan_references;

}  // namespace nerve::workspace
