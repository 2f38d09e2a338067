-- SPDX-License-Identifier: Apache-2.0
-- description: tenants, with the system tenant that owns what belongs to none
-- impact: none, new objects only
-- security: confidential; the billing address is personal
-- compliance: GDPR Art. 5(1)(f), tenant isolation
-- retention: a deleted tenant can be restored until it is purged
-- migrate:up

-- owner_user_id and created_by name users without a foreign key: the table of users comes with the module identity, and
-- a migration of that module adds the keys.
CREATE TABLE tenants (
  id {{id}} NOT NULL PRIMARY KEY,
  slug {{str(63)}} NOT NULL UNIQUE CHECK (length(slug) > 0 AND slug = lower(slug)),
  name {{str(255)}} NOT NULL CHECK (length(name) > 0),
  status {{enum(active, suspended)}} NOT NULL DEFAULT 'active',
  primary_domain {{str(255)}},
  additional_domains {{list}} NOT NULL DEFAULT '[]',
  subscription_tier {{str(20)}} NOT NULL DEFAULT 'basic',
  subscription_status {{str(20)}},
  max_seats {{num}} NOT NULL DEFAULT 1 CHECK (max_seats > 0),
  max_domains {{num}} NOT NULL DEFAULT 1 CHECK (max_domains > 0),
  billing_email {{str(255)}},
  owner_user_id {{id}},
  created_at {{ts}} NOT NULL,
  updated_at {{ts}} NOT NULL,
  created_by {{id}},
  deleted_at {{ts}},
  is_active {{active}}
) {{strict}};
CREATE UNIQUE INDEX tenants_primary_domain ON tenants(primary_domain) WHERE primary_domain IS NOT NULL;
CREATE INDEX tenants_live ON tenants(id) WHERE deleted_at IS NULL;
CREATE INDEX tenants_owner ON tenants(owner_user_id) WHERE owner_user_id IS NOT NULL;
{{touch(tenants)}};

INSERT INTO tenants (id, slug, name, created_at, updated_at)
VALUES ('00000000-0000-0000-0000-000000000000', 'system', 'System', {{now}}, {{now}});

-- dialect:sqlite
CREATE VIEW companies AS
-- dialect:postgresql
CREATE VIEW companies WITH (security_invoker = true) AS
-- dialect:end
SELECT id, name, primary_domain, additional_domains, max_seats, max_domains, subscription_tier, billing_email,
  subscription_status, owner_user_id AS user_id, created_at, updated_at, deleted_at, is_active
FROM tenants
WHERE id <> '00000000-0000-0000-0000-000000000000';

-- dialect:sqlite
CREATE VIEW organizations AS
-- dialect:postgresql
CREATE VIEW organizations WITH (security_invoker = true) AS
-- dialect:end
SELECT id, slug, name, status, created_at, updated_at, created_by, deleted_at, is_active
FROM tenants
WHERE id <> '00000000-0000-0000-0000-000000000000';

-- migrate:down
DROP VIEW organizations;
DROP VIEW companies;
DROP TABLE tenants;
