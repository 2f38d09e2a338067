#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job: a database is checked, backed up, damaged, found out and restored.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

claim "health of a sound database is ok, and looking changes nothing"
make_healthy shop.db
before=$(snapshot)
run nerve-db health --db shop.db
expect_exit 0
expect_stdout '^ok +sqlite\.integrity '
expect_stdout 'shop\.db: ok$'
expect_equal "the folder" "$before" "$(snapshot)"

claim "health --json has the fields that monitoring reads, and no others"
make_healthy shop.db
nerve-db health --db shop.db --json >report.json
run sqlite3 -batch :memory: "
  SELECT group_concat(key, ' ') FROM (SELECT key FROM json_each(CAST(readfile('report.json') AS TEXT)) ORDER BY key);
  SELECT DISTINCT group_concat(f.key, ' ') FROM json_each(CAST(readfile('report.json') AS TEXT), '\$.checks') AS c,
    json_each(c.value) AS f GROUP BY c.key;"
expect_equal "the JSON's fields" "checks status target
fix,id,message,status,threshold,unit,value,value_number
fix,id,message,status,threshold,value" "$(stdout | sed '2,$s/ /,/g' | LC_ALL=C sort)"
expect_equal "the status" ok "$(json report.json '$.status')"

claim "backup prints the id of the new backup and nothing else"
make_database shop.db
run nerve-db backup --db shop.db
expect_exit 0
expect_stdout '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$'
expect_equal "its lines" 1 "$(stdout | wc -l)"
expect_stderr "^repository: .*/shop\.db\.backups$"
expect_stderr "2,050 rows"

claim "a plain copy is a database with the same content for any other program"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo --plain 2>/dev/null)
run sqlite3 -batch "file:repo/$id/database.sqlite?immutable=1" 'PRAGMA integrity_check'
expect_stdout '^ok$'
expect_equal "the content" "$(content shop.db)" "$(content "repo/$id/database.sqlite")"

claim "list, show and verify tell of the backup that was made"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
run nerve-db backup list --repo repo
expect_exit 0
expect_stdout "^${id: -8} .* 2,050 +manual +good +$work/shop\.db$"
run nerve-db backup show "${id: -8}" --repo repo
expect_exit 0
expect_stdout "^id +$id$"
expect_stdout '^album +2,000$'
run nerve-db backup verify "$id" --repo repo
expect_exit 0
expect_stdout "^$id +ok$"
run nerve-db backup verify latest --deep --repo repo
expect_exit 0
expect_stdout '^ +2,050 rows, 0 without parent, content [0-9a-f]{64}$'

claim "damage is found, a backup of it is not latest, and the earlier backup brings every row back"
make_database shop.db
sqlite3 shop.db ANALYZE
digest=$(content shop.db)
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
damage shop.db album
run nerve-db health --db shop.db
expect_exit 2
expect_stdout '^critical +sqlite\.integrity .*album'
run nerve-db backup --db shop.db --repo repo
expect_exit 6
expect_stderr '^nerve-db: error: .*shop\.db.* damaged.*album'
expect_stderr "^hint: .*nerve-db restore ${id: -8}"
expect_stderr "what there is was kept as backup [0-9a-f]{8}, which counts as damaged"
expect_equal "the number of backups" 2 "$(nerve-db backup list --ids --repo repo 2>/dev/null | wc -l)"
run nerve-db restore latest --repo repo --db shop.db --yes
expect_exit 0
expect_stdout "^restored $work/shop\.db from backup ${id: -8}$"
expect_stdout ', which was damaged already$'
expect_equal "the content" "$digest" "$(content shop.db)"
run nerve-db health --db shop.db --repo repo
expect_exit 0

claim "list filters by database, and verify --all looks at every backup"
make_database one.db
make_database two.db 10
nerve-db backup --db one.db --repo repo --quiet >/dev/null
nerve-db backup --db two.db --repo repo --quiet >/dev/null
run nerve-db backup list --db two.db --repo repo
expect_exit 0
expect_stdout "two\.db$"
expect_nowhere "one.db"
run nerve-db backup verify --all --repo repo
expect_exit 0
expect_equal "the number of reports" 2 "$(stdout | grep -c ' ok$')"
run nerve-db backup show latest --repo repo
expect_exit 4
expect_stderr 'several databases'

claim "an altered copy is found by verify, and restore refuses it"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo --plain 2>/dev/null)
printf 'x' | dd of="repo/$id/database.sqlite" bs=1 seek=5000 conv=notrunc status=none
run nerve-db backup verify --repo repo
expect_exit 6
expect_stdout "^$id +damaged$"
expect_stderr "^hint: Make a new full now: nerve-db backup --full --repo $work/repo --db $work/shop\.db\."
refused 6 "backup $id is damaged" nerve-db restore "$id" --repo repo --to copy.db

claim "a backup with a corrupt manifest is listed as unreadable, not left out"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
sed -i 's/"state"/"stote"/' "repo/$id/manifest.json"
run nerve-db backup list --repo repo
expect_exit 0
expect_stdout "^${id: -8} .*unreadable"
expect_stderr '^nerve-db: warning: 1 of 2 backups cannot be trusted'
run nerve-db backup verify --all --repo repo
expect_exit 6

claim "optimize proposes, and with --apply does what it proposed"
make_database shop.db 20000
sqlite3 -batch shop.db 'DELETE FROM album WHERE id > 100'
before=$(snapshot)
run nerve-db optimize --db shop.db
expect_exit 0
expect_stdout '^analyze '
expect_equal "the folder" "$before" "$(snapshot)"
digest=$(content shop.db)
run nerve-db optimize --db shop.db --apply
expect_exit 0
expect_stdout '^analyze +done '
expect_equal "the statistics" 1 "$(sqlite3 shop.db "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'")"
expect_equal "the rows" 100 "$(sqlite3 shop.db 'SELECT count(*) FROM album')"
run nerve-db optimize --db shop.db
expect_exit 0
expect_stdout '^nothing to do$'

claim "a superfluous index is advice that --apply leaves alone, and the advice can be followed"
make_database 'sh op.db' 10
sqlite3 -batch 'sh op.db' 'CREATE INDEX album_by_artist_and_title ON album(artist_id, title)'
run nerve-db optimize --db 'sh op.db'
expect_exit 0
expect_stdout '^redundant_index '
expect_stderr '^nothing was changed, and --apply would change nothing now$'
advice=$(stdout | sed -n 's/^redundant_index is advice that --apply leaves to you: //p')
digest=$(content 'sh op.db')
run nerve-db optimize --db 'sh op.db' --apply
expect_exit 0
expect_stdout '^redundant_index +skipped .* advice only'
expect_equal "the content" "$digest" "$(content 'sh op.db')"
run bash -c "$advice"
expect_exit 0
run nerve-db optimize --db 'sh op.db'
expect_stdout '^nothing to do$'

claim "stats of an empty database says that it is empty"
: >empty.db
run nerve-db stats --db empty.db
expect_exit 0
expect_stdout '^the database is empty: it has no tables$'
expect_nowhere 'TABLE'

claim "stats agrees with what sqlite3 counts"
make_database shop.db
run nerve-db stats --db shop.db
expect_exit 0
expect_stdout '^rows +2,050$'
expect_stdout '^album +table +2,000 '
nerve-db stats --db shop.db --json >stats.json
bytes=$(sqlite3 -batch -readonly shop.db "SELECT sum(pgsize) FROM dbstat WHERE name = 'album'")
run sqlite3 -batch :memory: "SELECT json_extract(value, '\$.size_bytes') FROM
  json_each(CAST(readfile('stats.json') AS TEXT), '\$.tables') WHERE json_extract(value, '\$.name') = 'album'"
expect_equal "the size of album" "$bytes" "$(stdout)"
