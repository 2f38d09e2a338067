-- SPDX-License-Identifier: Apache-2.0
-- description: messages to the other store, and receipts of those that came from it
-- impact: none, new tables only
-- security: a payload names records by their ids and holds no personal data
-- retention: delivered messages and receipts 30 days, by the job outbox-purge; dead ones until somebody decides
-- migrate:up

-- The last number of each topic. Its row is locked by whoever adds a message, so that numbers follow each other in the
-- order of commits and none is missing.
CREATE TABLE outbox_topics (
  topic {{str(100)}} NOT NULL PRIMARY KEY,
  last_number {{num}} NOT NULL CHECK (last_number > 0)
) {{strict}};

CREATE TABLE outbox_messages (
  id {{id}} NOT NULL PRIMARY KEY,
  topic {{str(100)}} NOT NULL REFERENCES outbox_topics(topic),
  number {{num}} NOT NULL,
  payload {{json}} NOT NULL,
  state {{enum(pending, delivered, dead)}} NOT NULL DEFAULT 'pending',
  attempts {{num}} NOT NULL DEFAULT 0,
  next_attempt_at {{ts}} NOT NULL,
  last_error {{str(500)}},
  created_at {{ts}} NOT NULL,
  delivered_at {{ts}},
  CHECK ((state = 'delivered') = (delivered_at IS NOT NULL)),
  UNIQUE (topic, number)
) {{strict}};
CREATE INDEX outbox_messages_pending ON outbox_messages(topic, number) WHERE state = 'pending';
CREATE INDEX outbox_messages_delivered ON outbox_messages(delivered_at) WHERE state = 'delivered';
CREATE INDEX outbox_messages_dead ON outbox_messages(created_at) WHERE state = 'dead';

-- Written in the transaction that does what a message asks for: a message that comes again finds its receipt.
CREATE TABLE outbox_receipts (
  message_id {{id}} NOT NULL PRIMARY KEY,
  topic {{str(100)}} NOT NULL,
  received_at {{ts}} NOT NULL
) {{strict}};
CREATE INDEX outbox_receipts_received ON outbox_receipts(received_at);

-- migrate:down
DROP TABLE outbox_receipts;
DROP TABLE outbox_messages;
DROP TABLE outbox_topics;
