-- SPDX-License-Identifier: Apache-2.0
-- description: which user belongs to which tenant, from when to when
-- impact: none, new objects only
-- security: confidential; who worked where and when is personal
-- migrate:up

-- user_id has no foreign key yet: the table of users comes with the module identity, and a migration of that module adds
-- it. Somebody who left and comes back gets a new row.
CREATE TABLE tenant_members (
  id {{id}} NOT NULL PRIMARY KEY,
  tenant_id {{id}} NOT NULL REFERENCES tenants(id),
  user_id {{id}} NOT NULL,
  role {{enum(owner, admin, analyst, member, viewer)}} NOT NULL DEFAULT 'member',
  is_primary {{bool}} NOT NULL DEFAULT {{false}},
  joined_at {{ts}} NOT NULL,
  left_at {{ts}},
  created_at {{ts}} NOT NULL,
  updated_at {{ts}} NOT NULL,
  created_by {{id}},
  deleted_at {{ts}},
  is_active {{active}},
  CHECK (left_at IS NULL OR left_at >= joined_at)
) {{strict}};
CREATE UNIQUE INDEX tenant_members_current ON tenant_members(tenant_id, user_id)
  WHERE left_at IS NULL AND deleted_at IS NULL;
CREATE INDEX tenant_members_tenant ON tenant_members(tenant_id, joined_at);
CREATE INDEX tenant_members_user ON tenant_members(user_id, tenant_id);
{{touch(tenant_members)}};

-- dialect:sqlite
CREATE VIEW user_organizations AS
-- dialect:postgresql
CREATE VIEW user_organizations WITH (security_invoker = true) AS
-- dialect:end
SELECT id, user_id, tenant_id AS organization_id, role, is_primary, joined_at, left_at, created_at, updated_at,
  deleted_at, is_active
FROM tenant_members;

-- migrate:down
DROP VIEW user_organizations;
DROP TABLE tenant_members;
