#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The commands of modules: tenants, jobs, the outbox, the list of modules, and the roles.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# workspace_here makes the claim's folder a workspace.
workspace_here() { nerve-db init --quiet >/dev/null; }

claim "a tenant is made, shown, updated, removed and restored by slug or by the end of its id"
workspace_here
run nerve-db tenant create 'Acme Ltd' --slug acme --domain Acme.Example --seats 20
expect_exit 0
expect_equal "the lines" 1 "$(stdout | wc -l)"
expect_stderr '^created the tenant acme$'
id=$(stdout)
run nerve-db tenant show "${id: -8}"
expect_exit 0
expect_stdout "^id +$id$"
expect_stdout '^primary domain +acme\.example$'
run nerve-db tenant update acme --name 'Acme Group' --tier team
expect_exit 0
run nerve-db tenant remove acme --dry-run
expect_exit 0
run nerve-db tenant remove acme
expect_exit 2
expect_stderr 'must be confirmed'
run nerve-db tenant remove acme --yes
expect_exit 0
run nerve-db tenant list
expect_exit 0
expect_no_stdout
run nerve-db tenant list --removed
expect_stdout "^${id: -8} +acme +Acme Group +active +team .*Z?"
expect_equal "the removal" 1 "$(nerve-db tenant list --removed --json | grep -c '"deleted_at": *"2')"
run nerve-db tenant restore "$id"
expect_exit 0
run nerve-db tenant list
expect_stdout "^${id: -8} +acme +Acme Group +active "

claim "what is not there, taken or wrong has its exit code and a hint"
workspace_here
nerve-db tenant create Acme --quiet >/dev/null
run nerve-db tenant show acne
expect_exit 3
expect_stderr '^hint: Did you mean acme\?$'
run nerve-db tenant create ACME
expect_exit 4
expect_hint
run nerve-db tenant create Beta --domain 'no domain' --billing-email nobody
expect_exit 2
expect_stderr 'primary_domain'
expect_stderr 'billing_email'
run nerve-db tenant list --removed --with-removed
expect_exit 2
run nerve-db tenant list --where colour=red
expect_exit 2
expect_stderr "^hint: Its fields are id, slug, name, "

claim "a list in JSON comes in pages whose cursor leads to the next"
workspace_here
for name in one two three; do nerve-db tenant create $name --quiet >/dev/null; done
nerve-db tenant list --limit 2 --json >first.json
next=$(json first.json '$.next')
expect_equal "the second of the first page" two "$(json first.json '$.tenants[1].slug')"
nerve-db tenant list --limit 2 --after "$next" --json >second.json
expect_equal "the second page" three "$(json second.json '$.tenants[0].slug')"
expect_equal "its cursor" '' "$(json second.json '$.next')"

claim "a list is sorted, filtered and written as CSV by its fields, whatever page it is on"
workspace_here
for name in one two three four; do nerve-db tenant create $name --tier "$name" --quiet >/dev/null; done
nerve-db tenant list --sort name --limit 3 --json >first.json
expect_equal "the first" four "$(json first.json '$.tenants[0].slug')"
nerve-db tenant list --sort name --limit 3 --after "$(json first.json '$.next')" --json >second.json
expect_equal "the last" two "$(json second.json '$.tenants[0].slug')"
nerve-db tenant list --sort name --descending --json >greatest.json
expect_equal "the greatest" two "$(json greatest.json '$.tenants[0].slug')"
run nerve-db tenant list --where subscription_tier=three --csv
expect_equal "the lines" 2 "$(stdout | wc -l)"
expect_stdout ',three,three,active,'

claim "a member is added in the tenant that is named, or the only one, and counts as a seat"
workspace_here
user=01a1ff19-c530-7703-a60e-7aebf872e0b3
run nerve-db tenant member add $user
expect_exit 3
expect_hint
nerve-db tenant create Acme --quiet >/dev/null
run nerve-db tenant member add $user --role analyst
expect_exit 0
run nerve-db tenant member list
expect_stdout 'f872e0b3 +analyst +yes '
run nerve-db tenant member add 01a1ff19-c530-7703-a60e-7aebf872e0b4
expect_exit 4
expect_stderr '^hint: Give it more: nerve-db tenant update acme --seats N$'
nerve-db tenant create Beta --quiet >/dev/null
run nerve-db tenant member list
expect_exit 2
expect_stderr '^hint: Name one with --tenant: acme, beta\.$'
run nerve-db tenant member list --tenant beta
expect_no_stdout
run nerve-db tenant member remove $user --tenant beta --yes
expect_exit 3
run nerve-db tenant member remove $user --tenant acme --yes
expect_exit 0

claim "jobs run what is due, once, and the list keeps how it ended"
workspace_here
run nerve-db jobs list
expect_exit 0
expect_stdout '^outbox-drain .* never '
run nerve-db jobs run
expect_exit 0
expect_stdout '^outbox-drain +succeeded '
run nerve-db jobs run
expect_exit 0
expect_stderr '^no job is due$'
run nerve-db jobs run orphan-sweep
expect_exit 0
run nerve-db jobs run orphan-swep
expect_exit 3
expect_stderr '^hint: Did you mean orphan-sweep\?$'
nerve-db jobs list --json >jobs.json
expect_equal "the outcome" succeeded "$(json jobs.json '$.jobs[0].last.outcome')"

claim "a job that fails in part ends with its exit code, and its message can be tried again"
workspace_here
sqlite3 -batch nerve.db "INSERT INTO outbox_topics VALUES ('nobody.listens', 1);
  INSERT INTO outbox_messages (id, topic, number, payload, next_attempt_at, created_at, attempts) VALUES
  ('01a1fef8-ca48-73cc-95ea-c4e2f6662794', 'nobody.listens', 1, '{}', '2026-01-01T00:00:00.000000Z',
   '2026-01-01T00:00:00.000000Z', 15)"
run nerve-db jobs run --all
expect_exit 10
expect_stderr 'no module receives the topic nobody\.listens'
run nerve-db health
expect_exit 1
expect_stdout '^warning +outbox\.dead_letters '
expect_stdout "^to mend outbox\.dead_letters: nerve-db outbox retry --all --store core --workspace $work$"
run nerve-db outbox list --where state=dead
expect_stdout '^f6662794 +nobody\.listens '
run nerve-db outbox retry f6662794
expect_exit 0
run nerve-db outbox list --where state=dead
expect_no_stdout
run nerve-db outbox retry f6662794
expect_exit 4

claim "what an index would mend in a workspace is told to be mended by a migration, never by hand"
workspace_here
sqlite3 -batch nerve.db "CREATE TABLE remarks (id TEXT NOT NULL PRIMARY KEY, tenant TEXT REFERENCES tenants(id)) STRICT"
run nerve-db health
expect_exit 1
expect_stdout '^warning +sqlite\.foreign_key_indexes .*remarks\(tenant\)'
expect_stdout '^to mend sqlite\.foreign_key_indexes \(core\): .* a migration of the module '
expect_nowhere 'CREATE INDEX'

claim "an id that is too short is said to be so"
workspace_here
run nerve-db outbox retry 6662794
expect_exit 3
expect_stderr '^hint: .* at least the last 8 characters'

claim "a second runner is turned away while one is at work"
workspace_here
exec 9<nerve.toml
flock -x 9
run nerve-db jobs run
expect_exit 7
expect_stderr 'another process runs jobs'
exec 9<&-
run nerve-db jobs run
expect_exit 0

claim "a store whose schema is behind is not written to, and the exit code says so"
workspace_here
sqlite3 -batch nerve.db "DELETE FROM schema_migrations WHERE version = 'tenancy@0005'"
run nerve-db tenant list
expect_exit 8
expect_stderr '1 migration is pending'
expect_hint
run nerve-db status
expect_exit 0
expect_stdout '^core .* 1 '

claim "the modules are listed with what they bring"
run nerve-db module list
expect_exit 0
expect_stdout '^tenancy +[0-9.]+ +core '
nerve-db module list --json >modules.json
expect_equal "a fact" confidential "$(sqlite3 -batch :memory: "SELECT t.value ->> '$.classification' FROM
  json_each(CAST(readfile('modules.json') AS TEXT), '$.modules') AS m, json_each(m.value, '$.tables') AS t
  WHERE t.value ->> '$.name' = 'tenants'")"

claim "the roles of a server are printed for the database that is named, and a file has none"
run nerve-db roles sql --database nerve
expect_exit 0
expect_stdout '^GRANT CONNECT, TEMPORARY ON DATABASE "nerve" TO nerve_core_application;$'
run nerve-db roles sql --store secure --database vault
expect_stdout 'nerve_secure_owner'
refused 2 'no database is named' nerve-db roles sql
workspace_here
run nerve-db roles sql
expect_exit 11
expect_hint
