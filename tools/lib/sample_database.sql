-- SPDX-License-Identifier: Apache-2.0
-- A small database as a security team has it: who may log in, from where they did, and what happened.
PRAGMA journal_mode = WAL;
PRAGMA foreign_keys = ON;

BEGIN;

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('analyst', 'engineer', 'auditor', 'admin')),
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  ip_address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, started_at);

CREATE TABLE security_events (
  id INTEGER PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES sessions (id),
  kind TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  details TEXT NOT NULL CHECK (json_valid(details)),
  occurred_at TEXT NOT NULL
) STRICT;
CREATE INDEX security_events_by_time ON security_events (occurred_at);
CREATE INDEX security_events_by_severity ON security_events (severity) WHERE severity IN ('high', 'critical');

WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200)
INSERT INTO users (id, email, display_name, role, created_at)
SELECT n,
       format('user%03d@example.org', n),
       format('User %03d', n),
       CASE WHEN n % 50 = 0 THEN 'admin' WHEN n % 20 = 0 THEN 'auditor'
            WHEN n % 3 = 0 THEN 'engineer' ELSE 'analyst' END,
       strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2024-01-01', format('+%d hours', n * 7))
FROM numbers;

WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
INSERT INTO sessions (id, user_id, ip_address, user_agent, started_at, ended_at)
SELECT n,
       1 + (n * 37) % 200,
       format('198.51.100.%d', n % 254 + 1),
       CASE n % 3 WHEN 0 THEN 'curl/7.88.1' ELSE 'Mozilla/5.0 (X11; Linux x86_64)' END,
       strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2025-01-01', format('+%d minutes', n * 11)),
       iif(n % 5 = 0, NULL, strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2025-01-01', format('+%d minutes', n * 11 + 40)))
FROM numbers;

WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
INSERT INTO security_events (id, session_id, kind, severity, details, occurred_at)
SELECT n,
       1 + (n * 131) % 1000,
       CASE n % 6 WHEN 0 THEN 'login_failed' WHEN 1 THEN 'login_succeeded' WHEN 2 THEN 'password_changed'
                  WHEN 3 THEN 'role_granted' WHEN 4 THEN 'export_started' ELSE 'api_key_used' END,
       CASE WHEN n % 97 = 0 THEN 'critical' WHEN n % 23 = 0 THEN 'high' WHEN n % 6 = 0 THEN 'medium' ELSE 'low' END,
       json_object('attempt', n % 4 + 1, 'path', format('/api/v1/resources/%d', n * 7919 % 100003),
                   'request', format('%08x', n * 2654435761 % 4294967296)),
       strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2025-01-01', format('+%d minutes', n * 2))
FROM numbers;

COMMIT;
ANALYZE;
