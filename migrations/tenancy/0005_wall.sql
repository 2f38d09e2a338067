-- SPDX-License-Identifier: Apache-2.0
-- description: row-level security between tenants
-- impact: on PostgreSQL a transaction sees the rows of the tenant in nerve.tenant only, superusers apart
-- security: the second wall behind the condition that core adds
-- compliance: GDPR Art. 32(1)(b), tenant isolation
-- migrate:up

-- A tenant sees itself; the workspace (no tenant) and what is done across tenants see all.
-- dialect:postgresql
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON tenants
  USING (id = CAST(nullif(nullif(current_setting('nerve.tenant', true), ''), '*') AS uuid));
CREATE POLICY of_workspace ON tenants
  USING (coalesce(current_setting('nerve.tenant', true), '') IN ('', '*'));
-- dialect:end
{{tenant_wall(tenant_members)}};
{{tenant_wall(webhooks)}};

-- migrate:down
-- dialect:postgresql
DROP POLICY of_all_tenants ON webhooks;
DROP POLICY of_tenant ON webhooks;
ALTER TABLE webhooks NO FORCE ROW LEVEL SECURITY;
ALTER TABLE webhooks DISABLE ROW LEVEL SECURITY;
DROP POLICY of_all_tenants ON tenant_members;
DROP POLICY of_tenant ON tenant_members;
ALTER TABLE tenant_members NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tenant_members DISABLE ROW LEVEL SECURITY;
DROP POLICY of_workspace ON tenants;
DROP POLICY of_tenant ON tenants;
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tenants DISABLE ROW LEVEL SECURITY;
-- dialect:end
