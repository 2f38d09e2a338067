#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What salvage says, how it ends, and what it leaves.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rows() { sqlite3 -batch -readonly "$1" "SELECT count(*) FROM $2"; }
hidden_files() { find . -name '.*nerve-restore*' | wc -l; }

claim "a sound database comes back equal, with exit code 0"
make_database shop.db
run nerve-db salvage --db shop.db --to new.db
expect_exit 0
expect_stdout '^album +2,000 +0 +0'
expect_stdout "^wrote $work/new\.db with 2,050 rows of 2 tables$"
expect_equal "the content" "$(content shop.db)" "$(content new.db)"
expect_equal "its mode" 600 "$(stat -c %a new.db)"

claim "of a damaged database the rest is written, the losses are named, and the exit code is 10"
make_database shop.db
damage shop.db album
before=$(sha256sum <shop.db)
run nerve-db salvage --db shop.db --to new.db
expect_exit 10
expect_stdout '^album +1,[0-9]+ +1 +0 +lost pages: [0-9]+$'
expect_stdout '^artist +50 +0 +0'
expect_stderr '^nerve-db: error: not all of .*/shop\.db could be read$'
expect_hint
expect_equal "the damaged file" "$before" "$(sha256sum <shop.db)"
expect_equal "the check of the new file" ok "$(sqlite3 -batch new.db 'PRAGMA integrity_check')"

claim "the JSON says what the table says"
make_database shop.db
damage shop.db album
run nerve-db salvage --db shop.db --to new.db --json
expect_exit 10
cp "$test_root/out" report.json
expect_equal "complete" 0 "$(json report.json '$.complete')"
expect_equal "the rows of album" "$(rows new.db album)" "$(json report.json '$.tables[0].rows')"
expect_equal "the lost pages of album" 1 "$(json report.json '$.tables[0].lost_pages.total')"
expect_equal "whether artist is whole" 1 "$(json report.json '$.tables[1].whole')"
expect_stderr '^\{"error":.*"kind":"partial"'

claim "without a schema the message says where the rows are and what would help, and --schema-from does"
make_database shop.db
cp shop.db sound.db
head -c 4096 /dev/zero | dd of=shop.db bs=4096 conv=notrunc status=none
run nerve-db salvage --db shop.db --to new.db
expect_exit 10
expect_stderr 'the schema of .*/shop\.db could not be read, so its rows are in lost_and_found'
expect_stderr '^hint: .*--schema-from'
expect_equal "the rows" 1 "$(rows new.db lost_and_found | awk '{ print ($1 >= 2050) }')"
run nerve-db salvage --db shop.db --to again.db --schema-from sound.db
expect_exit 10
expect_equal "the albums" "$(sqlite3 sound.db 'SELECT * FROM album')" "$(sqlite3 again.db 'SELECT * FROM album')"

claim "what is no database, is missing, or would be replaced is refused, and nothing is written"
make_database shop.db
head -c 40000 /dev/urandom >noise.db
printf 'notes\n%.0s' {1..9000} >notes.txt
refused 6 'nothing in .*/noise\.db looks like a page of an SQLite database' nerve-db salvage --db noise.db --to new.db
refused 6 'nothing in .*/notes\.txt looks like a page' nerve-db salvage --db notes.txt --to new.db
refused 3 'missing\.db' nerve-db salvage --db missing.db --to new.db
refused 4 'shop\.db exists already' nerve-db salvage --db shop.db --to shop.db
refused 3 'there is no folder' nerve-db salvage --db shop.db --to nowhere/new.db
refused 2 '--to is missing' nerve-db salvage --db shop.db
refused 11 'PostgreSQL' nerve-db salvage --db postgresql://localhost/shop --to new.db
touch other.db-wal
refused 4 'other\.db-wal exists already' nerve-db salvage --db shop.db --to other.db

claim "a file that may only be read, in a folder that may only be read, is enough"
make_database shop.db
mkdir kept
mv shop.db kept/
chmod 400 kept/shop.db
chmod 500 kept
run nerve-db salvage --db kept/shop.db --to new.db
expect_exit 0
chmod 700 kept

# A database that takes a few seconds.
make_large() {
  sqlite3 -batch "$1" "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;
    CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT); CREATE INDEX t_by_a ON t(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
    INSERT INTO t SELECT i, 'some text ' || i, printf('%060d', i) FROM n;" >/dev/null
}
# Waits until a salvage has begun to write.
await_writing() {
  local waited
  for ((waited = 0; waited < 200; waited++)); do
    if [[ $(find . -name '.*nerve-restore' -size +100k | wc -l) -gt 0 ]]; then return; fi
    sleep 0.02
  done
}

claim "an interrupted salvage leaves nothing, and what a killed one leaves does not stop the next"
make_large large.db
before=$(sha256sum <large.db)
"$NERVE_DB_BIN" salvage --db large.db --to new.db >/dev/null 2>&1 &
await_writing
kill -TERM $!
run wait $!
expect_exit 130
expect_equal "the files left" 0 "$(hidden_files)"
"$NERVE_DB_BIN" salvage --db large.db --to new.db >/dev/null 2>&1 &
await_writing
kill -KILL $!
wait $! 2>/dev/null
if [[ -e new.db ]]; then fail "a killed salvage made the file"; fi
expect_equal "the files left" 1 "$(hidden_files)"
run nerve-db salvage --db large.db --to new.db
expect_exit 0
expect_equal "the files left" 0 "$(hidden_files)"
expect_equal "the damaged file" "$before" "$(sha256sum <large.db)"

claim "a backup of a damaged database that has no earlier one names salvage"
make_database shop.db
damage shop.db album
run nerve-db backup --db shop.db --repo repo
expect_exit 6
expect_stderr "^hint: .*nerve-db salvage --db $work/shop\.db --to FILE"

# Not every build of the command has it: Debian's has not.
has_recover() {
  sqlite3 -batch probe.db 'CREATE TABLE t(a)' && sqlite3 probe.db .recover 2>/dev/null | grep 'CREATE TABLE' >/dev/null
}

claim "at least as many rows come back as by .recover of the sqlite3 command"
if has_recover; then
  for table in artist album; do
    make_database "$table.db"
    damage "$table.db" album
    root=$(sqlite3 "$table.db" "SELECT rootpage FROM sqlite_schema WHERE name = '$table'")
    head -c 4096 /dev/zero | dd of="$table.db" bs=4096 seek=$((root - 1)) conv=notrunc status=none
    nerve-db salvage --db "$table.db" --to "$table.salvaged" >/dev/null 2>&1
    sqlite3 "$table.db" .recover | sqlite3 "$table.recovered"
    for counted in artist album; do
      if [[ $(rows "$table.salvaged" "$counted") -lt $(rows "$table.recovered" "$counted") ]]; then
        fail ".recover brings more rows of $counted back"
      fi
    done
  done
else
  skip "this sqlite3 has no .recover"
fi
