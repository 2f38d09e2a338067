-- SPDX-License-Identifier: Apache-2.0
-- description: for which tenant a message to the other store is
-- impact: a new column that may be absent
-- migrate:up

-- The receiver works in the scope of this tenant; absent: in that of the whole workspace.
ALTER TABLE outbox_messages ADD COLUMN for_tenant_id {{id}};

-- migrate:down
ALTER TABLE outbox_messages DROP COLUMN for_tenant_id;
