#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nerve-db migrate on a user's own SQLite database: the way up and down, and everything that is refused.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# migration NAME UP [DOWN] [HEADERS] writes a file below m/.
migration() {
  mkdir -p "$(dirname "m/$1.sql")"
  {
    if [[ -n ${4:-} ]]; then printf '%s\n' "$4"; fi
    if [[ -z ${3:-} ]]; then echo '-- irreversible: the test needs no way back'; fi
    printf -- '-- migrate:up\n%s\n' "$2"
    if [[ -n ${3:-} ]]; then printf -- '-- migrate:down\n%s\n' "$3"; fi
  } >"m/$1.sql"
}

start() {
  migration 0001_users 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);' 'DROP TABLE users;'
  migration 0002_posts 'CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE);
INSERT INTO users VALUES (1, '\''a'\''), (2, '\''b'\'');
INSERT INTO posts VALUES (1, 1), (2, 2), (3, 2);' 'DROP TABLE posts;
DELETE FROM users;'
  run nerve-db migrate up --db app.db --dir m --create --quiet
  expect_exit 0
}

up() { nerve-db migrate up --db app.db --dir m --no-backup "$@"; }

# Everything but the history, which keeps failures too.
dump() { sqlite3 -batch -readonly app.db .dump | grep -v 'INTO migration_events'; }

# stays CODE MESSAGE [OPTION...]: up fails with it, and the database is as before.
stays() {
  local code_expected=$1 message=$2 before
  shift 2
  before=$(dump)
  run up "$@"
  expect_exit "$code_expected"
  expect_stderr "^nerve-db: error: $message\$"
  expect_hint
  [[ $(dump) == "$before" ]] || fail "the database was changed: $(diff <(echo "$before") <(dump))"
}

claim "up makes a database, status tells what is applied, down takes it back"
run nerve-db migrate new users --dir m
expect_exit 0
expect_stdout '^m/0001_users\.sql$'
start
run nerve-db migrate status --db app.db --dir m
expect_exit 0
expect_stdout '^app@0002 +posts +applied '
expect_stdout '2 applied, 0 pending$'
migration 0003_more 'CREATE TABLE more (id INTEGER);' 'DROP TABLE more;'
run nerve-db migrate status --db app.db --dir m --json
expect_exit 8
expect_equal "the third state" pending "$(json "$test_root/out" '$.databases[0].migrations[2].state')"
run nerve-db migrate up --db app.db --dir m --dry-run
expect_exit 0
expect_stdout '^would apply app/0003_more$'
run nerve-db migrate up --db app.db --dir m
expect_exit 0
expect_stdout '^applied app/0003_more in '
expect_stderr '^backup before the migration: '
run nerve-db migrate down --db app.db --dir m --no-backup
expect_exit 2
expect_stderr '--yes'
run nerve-db migrate down --db app.db --dir m --no-backup --to 0001 --yes
expect_exit 0
expect_stdout '^took back app/0002_posts in '
run nerve-db migrate history --db app.db --dir m
expect_exit 0
expect_stdout ' down +app@0002 '
run up --to 0002
expect_exit 0
expect_equal "rows" 3 "$(sqlite3 app.db 'SELECT count(*) FROM posts')"

claim "verify says of a database that was never migrated that nothing is known"
migration 0001_users 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);' 'DROP TABLE users;'
sqlite3 never.db 'CREATE TABLE by_hand (id INTEGER)'
mkdir empty
for folder in m empty; do
  run nerve-db migrate verify --db never.db --dir "$folder"
  expect_exit 11
  expect_stdout '^the schema could not be compared: no migration was ever applied to .*/never\.db$'
  run nerve-db migrate verify --db never.db --dir "$folder" --json
  expect_exit 11
  expect_equal "known" 0 "$(json "$test_root/out" '$.databases[0].drift.known')"
done

claim "up refuses a folder without migrations, and makes no database for it"
mkdir empty
echo 'no migration' >empty/notes.txt
run nerve-db migrate up --db new.db --dir empty --create
expect_exit 3
expect_stderr '^nerve-db: error: the folder empty holds no migration$'
expect_hint
[[ ! -e new.db ]] || fail "new.db was made"

claim "a disk that is full is named as such, and what came before stays and is told"
mkdir disk
if mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null; then
  migration 0001_small 'CREATE TABLE small (id INTEGER);'
  migration 0002_large 'CREATE TABLE large (bytes BLOB);
INSERT INTO large VALUES (zeroblob(1200000));'
  run nerve-db migrate up --db disk/app.db --dir m --create --no-backup
  expect_exit 7
  expect_stderr '^hint: Free some space, then try again: nothing of the transaction was kept\. The step before it stays done\.$'
  expect_equal "applied" 1 "$(sqlite3 -batch disk/app.db 'SELECT count(*) FROM schema_migrations')"
  umount disk
else
  skip "this user may not mount"
fi

claim "where NERVE_DB keeps the stores of a workspace from being meant, it is named"
nerve-db init w --quiet >/dev/null
run env NERVE_DB=x.db NERVE_WORKSPACE=w "$NERVE_DB_BIN" migrate status
expect_exit 2
expect_stderr '^nerve-db: error: no migrations are named: NERVE_DB names another database than the workspace.s$'
expect_stderr '^hint: Unset NERVE_DB, '

claim "a baseline that needs functions of its application is not known, and nobody is told to correct it"
python3 -I -S - <<'PYTHON'
import sqlite3
database = sqlite3.connect("own.db")
database.create_function("slug", 1, lambda text: text, deterministic=True)
database.executescript("CREATE TABLE t (a TEXT); CREATE INDEX i ON t (slug(a))")
PYTHON
run nerve-db migrate baseline --db own.db --dir own --create
expect_exit 0
run nerve-db migrate verify --db own.db --dir own
expect_exit 11
expect_stdout '^the schema could not be compared: own/0001_baseline\.sql:[0-9]+: .*no such function: slug$'
expect_stdout '^  It was applied, but fails in an empty database: '

claim "a syntax error in the third statement is named, and nothing of its migration stays"
start
migration 0003_bad 'CREATE TABLE a (id INTEGER);
CREATE TABLE b (id INTEGER);
CREATE TABLEX c (id INTEGER);
CREATE TABLE d (id INTEGER);'
stays 1 'm/0003_bad\.sql:5: statement 3 of 4 \(up\): script failed: near "TABLEX": syntax error'

claim "an embedded COMMIT is refused"
start
migration 0003_bad 'DELETE FROM posts;
COMMIT;
DELETE FROM users;'
stays 2 'm/0003_bad\.sql:4: COMMIT in a migration'

claim "an edited file is refused until the edit is accepted"
start
echo '-- a remark' >>m/0001_users.sql
stays 6 'm/0001_users\.sql: the file was changed after app@0001 was applied to .*/app\.db'
run nerve-db migrate status --db app.db --dir m
expect_exit 6
run nerve-db migrate repair --db app.db --dir m --accept 0001
expect_exit 0
run nerve-db migrate status --db app.db --dir m
expect_exit 0

claim "a missing dependency is refused"
start
migration 0003_bad 'SELECT 1;' '' '-- requires: billing@0001'
stays 2 'm/0003_bad\.sql: requires billing@0001, which is not there'

claim "a circle is refused, and told"
start
migration 0003_a 'SELECT 1;' '' '-- requires: other@0001'
migration other/0001_b 'SELECT 1;' '' '-- requires: app@0003'
stays 2 'the migrations require each other in a circle: app@0003 requires other@0001 requires app@0003'

claim "a file that is gone is refused"
start
rm m/0002_posts.sql
stays 4 'app@0002 \(posts\) is applied to .*/app\.db, but there is no such migration'

claim "a number below an applied one is refused"
migration 0002_later 'CREATE TABLE later (id INTEGER);'
run nerve-db migrate up --db app.db --dir m --create
expect_exit 0
migration 0001_first 'CREATE TABLE first (id INTEGER);'
stays 4 'm/0001_first\.sql: app@0001 is not applied, but a later one of its module is'

claim "dropping a parent with children is refused without a rebuild"
start
migration 0003_bad 'DROP TABLE users;'
stays 4 'm/0003_bad\.sql:3: statement 1 of 1 \(up\): DROP TABLE users: rows of posts refer to it and would be deleted or orphaned'

rebuild='CREATE TABLE users_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT);
INSERT INTO users_new (id, name) SELECT id, name FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;'

claim "a rebuild of a parent keeps its children, and a view on it stays"
start
sqlite3 app.db 'CREATE VIEW names AS SELECT name FROM users'
migration 0003_note "$rebuild" '' '-- rebuild: users'
run up
expect_exit 0
expect_equal "children" 3 "$(sqlite3 app.db 'SELECT count(*) FROM posts')"
expect_equal "rows of the view" 2 "$(sqlite3 app.db 'SELECT count(*) FROM names')"

claim "a rebuild under a view that it breaks is undone"
start
sqlite3 app.db 'CREATE VIEW names AS SELECT name FROM users'
migration 0003_note "CREATE TABLE n (id INTEGER PRIMARY KEY);
INSERT INTO n SELECT id FROM users;
DROP TABLE users;
ALTER TABLE n RENAME TO users;" '' '-- rebuild: users'
stays 6 'm/0003_note\.sql: the view names cannot be read after the rebuild'

claim "a rebuild that loses a row is undone"
start
migration 0003_note "${rebuild/FROM users;/FROM users WHERE id = 1;}" '' '-- rebuild: users'
stays 6 'm/0003_note\.sql: the rebuild would leave 1 rows of 2 in users'

claim "another migration that is running is told of"
start
migration 0003_more 'CREATE TABLE more (id INTEGER);'
exec 9<.
flock -x 9
stays 7 'the schema of .*/app\.db is being changed by another process.*' --wait 0
exec 9>&-
run up
expect_exit 0

claim "a writer that does not end is told of"
start
migration 0003_more 'CREATE TABLE more (id INTEGER);'
printf '[database]\nbusy_timeout_ms = 100\n' >nerve.toml
chmod 600 nerve.toml
sqlite3 -batch app.db 'BEGIN IMMEDIATE' '.shell touch locked; while [ -e locked ]; do sleep 0.02; done' &
while [[ ! -e locked ]]; do sleep 0.02; done
run up
expect_exit 7
expect_stderr 'locked|in use'
expect_hint
rm locked
wait
run up
expect_exit 0

claim "a full device leaves the database as it was"
if [[ $EUID -eq 0 ]] && mkdir small && mount -t tmpfs -o size=256k tmpfs small 2>/dev/null; then
  start
  sqlite3 app.db .dump | sqlite3 small/app.db
  chmod 600 small/app.db
  migration 0003_fill "CREATE TABLE fill (body BLOB);
INSERT INTO fill VALUES (zeroblob(1000000));"
  before=$(sqlite3 -batch -readonly small/app.db .dump | grep -v 'INTO migration_events')
  run nerve-db migrate up --db small/app.db --dir m --no-backup
  expect_exit 7
  expect_stderr 'full|space'
  expect_hint
  expect_equal "the database" "$before" "$(sqlite3 -batch -readonly small/app.db .dump | grep -v 'INTO migration_events')"
  umount small
else
  skip "a small device cannot be mounted here"
fi

claim "outside of the maintenance window nothing is done"
start
migration 0003_more 'CREATE TABLE more (id INTEGER);'
stays 2 'no maintenance window is set' --window
weekday=$(date +%a | tr '[:upper:]' '[:lower:]')
other=$(date -d '+3 days' +%a | tr '[:upper:]' '[:lower:]')
printf '[maintenance]\nwindows = ["%s 00:00-24:00"]\n' "$other" >nerve.toml
chmod 600 nerve.toml
stays 5 '.* is outside the maintenance windows \(... 00:00-24:00\)' --window
printf '[maintenance]\nwindows = ["%s 25:00-26:00"]\n' "$other" >nerve.toml
stays 2 'nerve\.toml:2:[0-9]+: "... 25:00-26:00" is no maintenance window|.*is no maintenance window' --window
printf '[maintenance]\nwindows = ["%s 00:00-24:00"]\n' "$weekday" >nerve.toml
run up --window
expect_exit 0

claim "the notifier hears of the beginning and the end, and of a failure"
start
cat >listener <<'EOF'
#!/bin/sh
cat >>heard
EOF
chmod 700 listener
printf '[maintenance]\nnotify = ["%s/listener"]\n' "$PWD" >nerve.toml
chmod 600 nerve.toml
migration 0003_more 'CREATE TABLE more (id INTEGER);'
run nerve-db migrate up --db app.db --dir m
expect_exit 0
expect_equal "events" 'migration_started migration_finished' \
  "$(sed 's/.*"event":"\([a-z_]*\)".*/\1/' heard | paste -sd ' ')"
rm heard
migration 0004_bad 'SELEC 1;'
run nerve-db migrate up --db app.db --dir m
expect_exit 1
expect_stderr '^the database as it was before this run is backup [0-9a-f]+: nerve-db restore '
expect_equal "events" 'migration_started migration_failed' \
  "$(sed 's/.*"event":"\([a-z_]*\)".*/\1/' heard | paste -sd ' ')"

claim "a failed migration's backup brings the database back"
start
migration 0003_delete 'DELETE FROM posts;'
run nerve-db migrate up --db app.db --dir m
expect_exit 0
id=$(sed -n 's/^backup before the migration: //p' "$test_root/err")
run nerve-db restore "$id" --db app.db --yes
expect_exit 0
expect_equal "rows" 3 "$(sqlite3 app.db 'SELECT count(*) FROM posts')"

claim "the backup before a migration is one that latest, drill and health mean"
start
migration 0003_more 'CREATE TABLE more (id INTEGER);'
run nerve-db migrate up --db app.db --dir m
expect_exit 0
id=$(sed -n 's/^backup before the migration: //p' "$test_root/err")
for command in 'verify latest --db app.db' 'drill --db app.db'; do
  # shellcheck disable=SC2086  # words
  run nerve-db backup $command --repo app.db.backups
  expect_exit 0
  expect_stdout "$id"
done
printf 'no SQLite at all' | dd of=app.db conv=notrunc status=none
run nerve-db health --db app.db
expect_exit 2
expect_stdout "nerve-db restore latest --db $work/app\.db"
run nerve-db restore latest --db app.db --yes
expect_exit 0
expect_stdout "from backup $id"

claim "a damaged database is not migrated"
make_database app.db 5000
damage app.db album
migration 0001_more 'CREATE TABLE more (id INTEGER);'
run nerve-db migrate up --db app.db --dir m
expect_exit 6
expect_stderr 'health before the migration: sqlite\.integrity'
expect_hint
expect_equal "tables" 0 "$(sqlite3 app.db "SELECT count(*) FROM sqlite_schema WHERE name = 'more'")"

claim "the mode of a file keeps nobody from a migration, and is told"
start
mkdir open
cp app.db open/app.db
chmod 0777 open
chmod 0666 open/app.db
migration 0003_more 'CREATE TABLE more (id INTEGER);'
run nerve-db migrate up --db open/app.db --dir m --no-backup
expect_exit 0
expect_stderr 'warning: sqlite\.permissions'
expect_equal "tables" 1 "$(sqlite3 open/app.db "SELECT count(*) FROM sqlite_schema WHERE name = 'more'")"
chmod 0700 open

claim "a disk that the backup before a migration made tight is told, and what was applied is applied"
if [[ $EUID -eq 0 ]] && mkdir tight && mount -t tmpfs -o size=3m tmpfs tight 2>/dev/null; then
  sqlite3 tight/app.db "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB); WITH RECURSIVE c(n) AS (SELECT 1
UNION ALL SELECT n + 1 FROM c WHERE n < 1200) INSERT INTO t SELECT n, randomblob(900) FROM c;"
  chmod 600 tight/app.db
  mkdir tight_migrations
  printf -- '-- irreversible: x\n-- migrate:up\nCREATE TABLE small (id INTEGER PRIMARY KEY);\n' >tight_migrations/0001_a.sql
  run nerve-db migrate up --db tight/app.db --dir tight_migrations
  expect_exit 0
  expect_stdout '^applied app/0001_a'
  printf -- '-- irreversible: x\n-- migrate:up\nINSERT INTO small SELECT id FROM t;\n' >tight_migrations/0002_b.sql
  run nerve-db migrate up --db tight/app.db --dir tight_migrations --no-backup
  expect_exit 0
  expect_stderr 'warning: sqlite\.free_disk'
  printf -- '-- irreversible: x\n-- migrate:up\nUPDATE t SET v = zeroblob(4000);\n' >tight_migrations/0003_c.sql
  run nerve-db migrate up --db tight/app.db --dir tight_migrations --no-backup
  expect_exit 7
  expect_stderr 'no space left'
  expect_stderr 'Nothing of this migration was kept\. Run it again when that is mended\.'
  umount tight
else
  skip "a small device cannot be mounted here"
fi

claim "wrong words are told"
start
refused 2 'no migrations are named' nerve-db migrate status --db app.db
refused 3 'there is no folder nowhere' nerve-db migrate status --db app.db --dir nowhere
refused 3 'there is no file' nerve-db migrate up --db missing.db --dir m
refused 2 '"x" names no migration' nerve-db migrate up --db app.db --dir m --to x
refused 3 'there is no migration app@0009' nerve-db migrate up --db app.db --dir m --to 9
refused 2 '"Add Users" is no name for a migration' nerve-db migrate new 'Add Users' --dir m
refused 2 '--ledger' nerve-db migrate status --db app.db --dir m --ledger 'x; DROP TABLE y'
refused 2 '--scratch is given, but the database is not on PostgreSQL' nerve-db migrate verify --db app.db --dir m --scratch x.db
refused 2 'the engine is not known' nerve-db migrate plan --dir m
