-- SPDX-License-Identifier: Apache-2.0
-- description: references to the other store whose record was missing when the sweep looked
-- impact: none, a new table only
-- retention: until the record is there again or the reference is gone
-- migrate:up

-- A reference is acted upon only when it was found here by an earlier run: a record may be on its way.
CREATE TABLE orphan_references (
  table_name {{str(63)}} NOT NULL,
  column_name {{str(63)}} NOT NULL,
  missing_id {{id}} NOT NULL,
  first_seen_at {{ts}} NOT NULL,
  PRIMARY KEY (table_name, column_name, missing_id)
) {{strict}};

-- migrate:down
DROP TABLE orphan_references;
