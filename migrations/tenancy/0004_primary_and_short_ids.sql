-- SPDX-License-Identifier: Apache-2.0
-- description: one primary tenant a user, and the ends of ids by which people name records
-- impact: new indexes only
-- migrate:up

-- Across tenants: no tenant can see whether a user has a primary one elsewhere, the index can.
CREATE UNIQUE INDEX tenant_members_primary ON tenant_members(user_id)
  WHERE is_primary = {{true}} AND left_at IS NULL AND deleted_at IS NULL;

-- dialect:sqlite
CREATE INDEX tenants_short_id ON tenants(substr(id, 29));
CREATE INDEX tenant_members_short_id ON tenant_members(tenant_id, substr(id, 29));
-- dialect:postgresql
CREATE INDEX tenants_short_id ON tenants(right(CAST(id AS text), 8));
CREATE INDEX tenant_members_short_id ON tenant_members(tenant_id, right(CAST(id AS text), 8));
-- dialect:end

-- migrate:down
DROP INDEX tenant_members_short_id;
DROP INDEX tenants_short_id;
DROP INDEX tenant_members_primary;
