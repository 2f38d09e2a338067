-- SPDX-License-Identifier: Apache-2.0
-- description: where a tenant wants to be told of events
-- impact: none, a new table only
-- security: only https; of the secret its hash, never the secret itself
-- migrate:up

CREATE TABLE webhooks (
  id {{id}} NOT NULL PRIMARY KEY,
  tenant_id {{id}} NOT NULL REFERENCES tenants(id),
  name {{str(100)}} NOT NULL CHECK (length(name) > 0),
  url {{str(2048)}} NOT NULL CHECK (url LIKE 'https://_%'),
  events {{list}} NOT NULL DEFAULT '[]',
  secret_hash {{str(64)}} CHECK (length(secret_hash) = 64),
  created_at {{ts}} NOT NULL,
  updated_at {{ts}} NOT NULL,
  created_by {{id}},
  deleted_at {{ts}},
  is_active {{active}},
  UNIQUE (tenant_id, name)
) {{strict}};
CREATE INDEX webhooks_live ON webhooks(tenant_id, id) WHERE deleted_at IS NULL;
{{touch(webhooks)}};

-- migrate:down
DROP TABLE webhooks;
