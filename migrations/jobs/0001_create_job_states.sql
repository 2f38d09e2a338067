-- SPDX-License-Identifier: Apache-2.0
-- description: when each job ran last, and how that ended
-- impact: none, a new table only
-- migrate:up

CREATE TABLE job_states (
  job {{str(63)}} NOT NULL PRIMARY KEY,
  started_at {{ts}} NOT NULL,
  finished_at {{ts}},
  outcome {{enum(running, succeeded, partial, failed)}} NOT NULL,
  counts {{json}} NOT NULL,
  problem {{str(500)}},
  CHECK ((outcome = 'running') = (finished_at IS NULL))
) {{strict}};

-- migrate:down
DROP TABLE job_states;
