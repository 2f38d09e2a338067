-- SPDX-License-Identifier: Apache-2.0
-- description: the ends of ids by which people name messages
-- impact: a new index only
-- migrate:up

-- dialect:sqlite
CREATE INDEX outbox_messages_short_id ON outbox_messages(substr(id, 29));
-- dialect:postgresql
CREATE INDEX outbox_messages_short_id ON outbox_messages(right(CAST(id AS text), 8));
-- dialect:end

-- migrate:down
DROP INDEX outbox_messages_short_id;
