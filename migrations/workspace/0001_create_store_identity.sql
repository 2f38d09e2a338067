-- SPDX-License-Identifier: Apache-2.0
-- description: which store of which workspace this is, and what keeps updated_at on PostgreSQL
-- impact: none, new objects only
-- security: a file or database of another workspace, or of the other store, is found out when it is opened
-- migrate:up

-- At most one row; the program writes it when the workspace is made, since only it knows which store this is.
CREATE TABLE store_identity (
  singleton {{bool}} NOT NULL DEFAULT {{true}} PRIMARY KEY CHECK (singleton = {{true}}),
  workspace_id {{id}} NOT NULL,
  store {{enum(core, secure)}} NOT NULL,
  created_at {{ts}} NOT NULL
) {{strict}};

-- dialect:postgresql
-- The triggers that the logical type `touch` makes call it.
CREATE FUNCTION nerve_touch() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;
-- dialect:end

-- migrate:down
-- dialect:postgresql
DROP FUNCTION nerve_touch();
-- dialect:end
DROP TABLE store_identity;
