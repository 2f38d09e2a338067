#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Health of SQLite databases that are prepared with each finding: the finding is there, the command that it is told with
# runs as it stands, and then the finding is gone.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# field ID NAME: a field of one check in report.json.
field() {
  sqlite3 -batch :memory: "SELECT json_extract(value, '\$.$2') FROM
    json_each(CAST(readfile('report.json') AS TEXT), '\$.checks') WHERE json_extract(value, '\$.id') = '$1'"
}

# look OPTION... makes report.json; look_is ID STATUS OPTION... expects that one check has this status.
look() {
  run nerve-db health --json "$@"
  cp "$test_root/out" report.json
}
look_is() {
  local id=$1 expected=$2
  shift 2
  look "$@"
  expect_equal "the status of $id" "$expected" "$(field "$id" status)"
}

# mend ID runs the fix of report.json as a person would, from another folder.
mend() {
  local fix
  fix=$(field "$1" fix)
  last_command=$fix
  export -f nerve-db
  code=0
  bash -c "$fix" >"$test_root/out" 2>"$test_root/err" </dev/null || code=$?
  expect_exit 0
}

# mend_elsewhere ID does the same in another folder, with the first of several.
mend_elsewhere() {
  local fix
  fix=$(field "$1" fix | head -1)
  export -f nerve-db
  run bash -c "cd / && $fix"
  expect_exit 0
}

# wait_until COMMAND... tries it for some seconds.
wait_until() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    if "$@" 2>/dev/null; then return; fi
    sleep 0.05
  done
  fail "it did not happen: $*"
}

# found_and_mended ID STATUS OPTION...
found_and_mended() {
  local id=$1 status=$2
  shift 2
  look_is "$id" "$status" "$@"
  mend "$id"
  look_is "$id" ok "$@"
}

claim "a database in order, backed up and verified, is ok in each check"
make_healthy shop.db
look --db shop.db --deep
expect_exit 0
expect_equal "the status" ok "$(json report.json '$.status')"
expect_equal "the checks" 19 "$(sqlite3 -batch :memory: \
  "SELECT json_array_length(CAST(readfile('report.json') AS TEXT), '\$.checks')")"

claim "missing statistics are found, and mended by the command"
make_healthy "it's a shop.db"
sqlite3 "it's a shop.db" 'DROP TABLE sqlite_stat1'
found_and_mended sqlite.statistics warning --db "it's a shop.db"

claim "statistics that are out of date are found, and mended by the command"
make_healthy shop.db
sqlite3 shop.db 'DELETE FROM album WHERE id > 500'
found_and_mended sqlite.statistics warning --db shop.db

claim "superfluous indexes are found, and mended by the command"
make_healthy shop.db
sqlite3 shop.db 'CREATE INDEX "it''s twice" ON album(artist_id); CREATE INDEX wider ON album(artist_id, title)'
found_and_mended sqlite.indexes warning --db shop.db

claim "foreign keys without index are found, and mended by the command"
make_healthy shop.db
sqlite3 shop.db "DROP INDEX album_by_artist;
  CREATE TABLE \"track's list\"(\"album id\" REFERENCES album(id), other REFERENCES album(id))"
look_is sqlite.foreign_key_indexes warning --db shop.db
expect_equal "the number" 3 "$(field sqlite.foreign_key_indexes value_number)"
mend sqlite.foreign_key_indexes
look_is sqlite.foreign_key_indexes ok --db shop.db

claim "free pages, a large -wal and loose modes are found, and mended by the commands"
make_healthy shop.db
sqlite3 shop.db 'CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(4000000)); DROP TABLE t'
found_and_mended sqlite.free_list warning --db shop.db
chmod 644 shop.db
found_and_mended sqlite.permissions warning --db shop.db

claim "an index that lacks rows is found by --deep, and mended by the command"
make_healthy shop.db
sqlite3 shop.db 'CREATE INDEX partial ON artist(name) WHERE id > 10' '.dbconfig defensive off' \
  'PRAGMA writable_schema=ON' "UPDATE sqlite_schema SET sql = 'CREATE INDEX partial ON artist(name)'
   WHERE name = 'partial'" >/dev/null
found_and_mended sqlite.integrity critical --deep --db shop.db

claim "a database without backup is a warning, and the commands make one and verify it"
make_database shop.db
look_is backup.age warning --db shop.db
expect_equal "the command" "nerve-db backup --db $work/shop.db" "$(field backup.age fix)"
mend backup.age
look_is backup.age ok --db shop.db
expect_equal "the status of backup.verified" warning "$(field backup.verified status)"
mend backup.verified
look_is backup.verified ok --db shop.db

claim "the commands name the repository that was named"
make_database shop.db
look_is backup.age warning --db shop.db --repo "re po"
expect_equal "the command" "nerve-db backup --db $work/shop.db --repo '$work/re po'" "$(field backup.age fix)"
mend backup.age
look_is backup.verified warning --db shop.db --repo "re po"
mend backup.verified
look_is backup.verified ok --db shop.db --repo "re po"
damage shop.db album
look_is sqlite.integrity critical --db shop.db --repo "re po"
expect_equal "the command" "nerve-db restore latest --db $work/shop.db --repo '$work/re po'" \
  "$(field sqlite.integrity fix)"
run nerve-db restore latest --db shop.db --repo "re po" --yes
expect_exit 0
look_is sqlite.integrity ok --db shop.db --repo "re po"

claim "a backup is too old, or verified too long ago, by the settings of the workspace"
make_healthy nerve.db --repo backups
printf '%s\n' '[health]' 'backup_max_hours = 1' 'verified_max_hours = 2' >nerve.toml
chmod 600 nerve.toml
look
expect_exit 0
expect_equal "the threshold" "at most 1 h" "$(field backup.age threshold)"
expect_equal "the threshold" "at most 2 h" "$(field backup.verified threshold)"

claim "a repository that may only be read does not make verify fail"
if can_be_stranger; then
  chmod 755 "$test_root" "$work"
  make_database shop.db
  nerve-db backup --db shop.db --repo repo --quiet >/dev/null
  chmod -R a+rX,a-w repo
  run as_stranger "$NERVE_DB_BIN" backup verify --repo repo
  expect_exit 0
  expect_stderr 'the verification could not be noted'
  chmod -R u+w repo
  chmod 700 "$test_root"
else
  skip "needs setpriv to put the rights of root aside"
fi

claim "growth since the last run of a workspace is found, told once, and kept for the owner only"
make_healthy nerve.db --repo backups
: >nerve.toml
chmod 600 nerve.toml
look
expect_equal "the first comparison" 1 "$(field sqlite.growth message | grep -c '^since backup ')"
expect_equal "the mode" 600 "$(stat -c %a health-state.json)"
sqlite3 nerve.db 'CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(3000000))'
found_and_mended sqlite.growth warning

claim "without a workspace the size is compared with the newest backup, and nothing is written"
make_healthy shop.db
sqlite3 shop.db 'CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(3000000))'
before=$(snapshot)
run nerve-db health --db shop.db
expect_stdout '^warning +sqlite\.growth .* since backup [0-9a-f]{8} '
expect_equal "the folder" "$before" "$(snapshot)"

claim "a state file that is something else is told, and stays as it is"
make_healthy nerve.db --repo backups
printf '%s\n' '[health]' 'state_file = "notes.txt"' >nerve.toml
chmod 600 nerve.toml
echo 'my notes' >notes.txt
look
expect_exit 3
expect_equal "the status of sqlite.growth" unknown "$(field sqlite.growth status)"
expect_equal "the file" 'my notes' "$(cat notes.txt)"

claim "health.skip leaves checks out, and a check that does not exist is an error with its place"
make_database nerve.db
printf '%s\n' '[health]' 'skip = ["sqlite.statistics", "backup.age"]' >nerve.toml
chmod 600 nerve.toml
look
expect_exit 0
expect_equal "the skipped check" "" "$(field sqlite.statistics id)$(field backup.age id)"
printf '%s\n' '[health]' 'skip = ["sqlite.statistic"]' >nerve.toml
refused 3 'nerve\.toml:2:[0-9]+: health\.skip names a check that does not exist: sqlite\.statistic$' nerve-db health
expect_stderr '^hint: Did you mean sqlite\.statistics\?$'

claim "--prometheus writes one status for each check, and one line for the whole"
make_healthy shop.db
sqlite3 shop.db 'DROP INDEX album_by_artist'
run nerve-db health --db shop.db --prometheus
expect_exit 1
expect_equal "lines of another form" "" "$(stdout | grep -vE \
  '^(# (HELP|TYPE) nerve_health_[a-z]+ .+|nerve_health_[a-z]+\{([a-z]+="[^"]*",?)+\} [0-9.e+-]+)$')"
expect_stdout "^nerve_health_status\{check=\"sqlite\.foreign_key_indexes\",target=\"$work/shop\.db\"\} 1$"
expect_stdout '^nerve_health_status\{check="sqlite\.integrity",.*\} 0$'
expect_stdout '^nerve_health_value\{check="sqlite\.foreign_key_indexes",unit="count",.*\} 1$'
run nerve-db health --db shop.db --prometheus --json
expect_exit 3
expect_stderr '"message":"--prometheus and --json are both given"'

claim "watch tells what is not ok, then what changes, and ends with the code of the last round"
make_healthy shop.db
sqlite3 shop.db 'DROP INDEX album_by_artist'
nerve-db health watch --db shop.db --every 1 --count 4 >watch.out &
watcher=$!
wait_until grep -q foreign_key_indexes watch.out
sqlite3 shop.db 'CREATE INDEX album_by_artist ON album(artist_id); ANALYZE'
run wait $watcher
expect_exit 0
run cat watch.out
expect_equal "the lines" 4 "$(stdout | wc -l)"
expect_stdout ' warning +sqlite\.foreign_key_indexes: .*album\(artist_id\)$'
expect_stdout " warning +$work/shop\.db$"
expect_stdout ' ok +sqlite\.foreign_key_indexes: .* \(was warning\)$'
expect_stdout " ok +$work/shop\.db$"

claim "watch --json writes one line each round, and a signal ends it with the code of the last round"
for signal in INT TERM; do
  rm -f shop.db watch.json
  make_database shop.db
  "$NERVE_DB_BIN" health watch --db shop.db --every 1 --json >watch.json &
  watcher=$!
  wait_until test -s watch.json
  kill -s "$signal" "$watcher"
  run wait $watcher
  expect_exit 1
  expect_equal "lines that are no JSON document" "" "$(while IFS= read -r line; do
    sqlite3 -batch :memory: "SELECT CASE WHEN json_extract('${line//\'/\'\'}', '\$.at') LIKE '20%Z' THEN '' ELSE 'bad' END"
  done <watch.json | tr -d '\n')"
done

# of_secure ID NAME: a field of a check of the secure store in report.json.
of_secure() {
  sqlite3 -batch :memory: "SELECT json_extract(value, '\$.$2') FROM
    json_each(CAST(readfile('report.json') AS TEXT), '\$.checks') WHERE json_extract(value, '\$.id') = '$1'
    AND json_extract(value, '\$.store') = 'secure'"
}

claim "in a workspace every check is made of both stores, and the worst counts"
nerve-db init space --quiet >/dev/null
nerve-db backup --workspace space --quiet >/dev/null 2>&1
nerve-db backup verify --all --workspace space --quiet >/dev/null 2>&1
for id in sqlite.file sqlite.permissions sqlite.integrity sqlite.schema sqlite.journal_mode backup.age; do
  look --workspace space
  expect_equal "the status of $id of the secure store" ok "$(of_secure "$id" status)"
done
chmod 0666 space/nerve-secure.db
look --workspace space
expect_exit 2
expect_equal "the permissions" critical "$(of_secure sqlite.permissions status)"
chmod 0600 space/nerve-secure.db
# Three pages of the middle are overwritten.
head -c 12288 /dev/zero | tr '\0' '\377' | dd of=space/nerve-secure.db bs=4096 seek=3 conv=notrunc status=none
look --workspace space
expect_exit 2
expect_equal "the verdict" critical "$(json report.json '$.status')"
expect_equal "backups of what is damaged" 0 \
  "$(sqlite3 -batch :memory: "SELECT count(*) FROM json_each(CAST(readfile('report.json') AS TEXT), '\$.checks')
    WHERE json_extract(value, '\$.store') = 'secure' AND json_extract(value, '\$.fix') LIKE 'nerve-db backup --%'")"
rm space/nerve-secure.db
look --workspace space
expect_exit 2
expect_equal "the file" critical "$(of_secure sqlite.file status)"

claim "what is missing or damaged never gets the remedy to make a backup"
make_database lone.db 5000
damage lone.db album
look --db lone.db
expect_exit 2
expect_equal "the fix" 1 "$(field backup.age fix | grep -c '^There is no backup of it: nerve-db salvage --db ')"
nerve-db backup --db shop.db --repo lone.db.backups --quiet >/dev/null 2>&1
look --db none.db
expect_exit 2
expect_equal "the fix" 'There is no backup of it: look for the file where it was before.' "$(field backup.age fix)"

claim "in a workspace the remedy for missing backups makes a set that can be restored and drilled"
nerve-db init space --quiet >/dev/null
look --workspace space
for store in core secure; do
  expect_equal "the fix of $store" "nerve-db backup --workspace $work/space" "$(sqlite3 -batch :memory: "SELECT
    json_extract(value, '\$.fix') FROM json_each(CAST(readfile('report.json') AS TEXT), '\$.checks')
    WHERE json_extract(value, '\$.id') = 'backup.age' AND json_extract(value, '\$.store') = '$store'")"
done
mend_elsewhere backup.age
run nerve-db backup drill --workspace space
expect_exit 0
run nerve-db restore latest --workspace space --yes
expect_exit 0
look --workspace space
expect_equal "the status" okok "$(field backup.age status | tr -d '\n')"
rm -rf space/backups
for store in nerve nerve-secure; do nerve-db backup --db space/$store.db --workspace space --quiet >/dev/null 2>&1; done
look_is backup.age "warning
warning" --workspace space
expect_equal "the message" 2 "$(field backup.age message | grep -c 'no whole set of backups')"
mend_elsewhere backup.age
look --workspace space
expect_equal "the status" okok "$(field backup.age status | tr -d '\n')"

# fixes STORE: what is proposed, each once, but for sentences that wait for the mended database.
fixes() {
  sqlite3 -batch :memory: "SELECT DISTINCT json_extract(value, '\$.fix') FROM
    json_each(CAST(readfile('report.json') AS TEXT), '\$.checks') WHERE json_extract(value, '\$.status') <> 'ok'
    AND coalesce(json_extract(value, '\$.store'), '') = '$1' AND json_extract(value, '\$.fix') NOT IN ('',
    'Mend the database first.', 'Mend the databases first.') AND json_extract(value, '\$.id') <> 'backup.verified'"
}

claim "a damaged or missing store of a workspace has one remedy, which restores the newest set from any folder"
nerve-db init space --quiet >/dev/null
nerve-db backup --workspace space --quiet >/dev/null 2>&1
remedy="nerve-db restore latest --workspace $work/space"
cp space/nerve-secure.db secure.sound
head -c 12288 /dev/zero | tr '\0' '\377' | dd of=space/nerve-secure.db bs=4096 seek=3 conv=notrunc status=none
look --workspace space
expect_equal "the remedies" "$remedy" "$(fixes secure)"
printf 'no SQLite at all' | dd of=space/nerve-secure.db conv=notrunc status=none
look --workspace space
expect_equal "the remedies" "$remedy" "$(fixes secure)"
rm space/nerve-secure.db*
look --workspace space
expect_equal "the remedies" "$remedy" "$(fixes secure)"
export -f nerve-db
run bash -c "cd / && $remedy --yes"
expect_exit 0
look --workspace space
expect_equal "the remedies" '' "$(fixes secure)"

claim "a damaged database that has much else to tell has one remedy"
make_database shop.db 5000
sqlite3 shop.db 'CREATE INDEX twice ON album(artist_id); CREATE TABLE kept(a); INSERT INTO kept SELECT value FROM generate_series(1, 5000)'
damage shop.db kept
look --db shop.db --deep
expect_exit 2
expect_equal "the remedies" 1 "$(fixes '' | wc -l)"
expect_equal "the remedy" 1 "$(fixes '' | grep -c '^There is no backup of it: nerve-db salvage --db ')"

claim "what salvage refuses never gets it as a remedy, and what is missing is restored where it can be"
mkdir folder.db
seq 10000 >text.db
chmod 600 text.db
for name in folder text none; do
  look --db $name.db
  expect_exit 2
  expect_equal "salvage" '' "$(fixes '' | grep salvage)"
done
make_healthy shop.db
mv shop.db away.db
look --db shop.db
expect_equal "the remedies" "nerve-db restore latest --db $work/shop.db" "$(fixes '')"
