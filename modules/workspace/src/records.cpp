// SPDX-License-Identifier: Apache-2.0
#include "records.h"

#include "jobs.h"

namespace nerve::workspace {

namespace {

constexpr Field identity_fields[] = {
    field<&StoreIdentity::singleton>("singleton").key(),
    field<&StoreIdentity::workspace_id>("workspace_id"),
    field<&StoreIdentity::store>("store"),
    field<&StoreIdentity::created_at>("created_at"),
};

constexpr Field topic_fields[] = {
    field<&OutboxTopic::topic>("topic").key(),
    field<&OutboxTopic::last_number>("last_number"),
};

constexpr Field message_fields[] = {
    field<&OutboxMessage::id>("id").listed(),
    field<&OutboxMessage::topic>("topic").listed(),
    field<&OutboxMessage::number>("number").listed(),
    field<&OutboxMessage::payload>("payload").json(),
    field<&OutboxMessage::state>("state").listed(),
    field<&OutboxMessage::attempts>("attempts").listed(),
    field<&OutboxMessage::next_attempt_at>("next_attempt_at"),
    field<&OutboxMessage::last_error>("last_error").listed(),
    field<&OutboxMessage::created_at>("created_at").listed(),
    field<&OutboxMessage::delivered_at>("delivered_at"),
    field<&OutboxMessage::for_tenant_id>("for_tenant_id"),
};

constexpr Field receipt_fields[] = {
    field<&OutboxReceipt::message_id>("message_id").key(),
    field<&OutboxReceipt::topic>("topic"),
    field<&OutboxReceipt::received_at>("received_at"),
};

constexpr Field orphan_fields[] = {
    field<&OrphanReference::table_name>("table_name").key(),
    field<&OrphanReference::column_name>("column_name").key(),
    field<&OrphanReference::missing_id>("missing_id").key(),
    field<&OrphanReference::first_seen_at>("first_seen_at"),
};

}  // namespace

constinit const Record<StoreIdentity> store_identities(
    {.table = "store_identity", .noun = "store identity", .writing = Writing::none, .is_recorded = false},
    identity_fields);

constinit const Record<OutboxTopic> outbox_topics(
    {.table = "outbox_topics", .noun = "topic", .is_recorded = false}, topic_fields);

constinit const Record<OutboxMessage> outbox_messages({.table = "outbox_messages",
                                                       .noun = "message",
                                                       .command = "outbox",
                                                       .retention = Retention{outbox_retention,
                                                                              "delivered_at"},
                                                       .is_recorded = false},
                                                      message_fields);

constinit const Record<OutboxReceipt> outbox_receipts({.table = "outbox_receipts",
                                                       .noun = "receipt",
                                                       .retention = Retention{outbox_retention,
                                                                              "received_at"},
                                                       .is_recorded = false},
                                                      receipt_fields);

constinit const Record<OrphanReference> orphan_references(
    {.table = "orphan_references", .noun = "missing record", .is_recorded = false}, orphan_fields);

}  // namespace nerve::workspace
