#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Damage behind full-text indexes and R-trees: SQLite's checks of pages do not see it, their modules do. Each damage is
# one that SQLite itself calls malformed.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# make_virtual_tables FILE [DAMAGE] makes one of each module with 2,000 rows, then damages what lies behind it.
make_virtual_tables() {
  python3 -I -S - "$@" <<'P'
import os, sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.executescript("""
  CREATE TABLE plain(a);
  CREATE VIRTUAL TABLE docs USING fts5(title, body);
  CREATE VIRTUAL TABLE outside USING fts5(a, content='plain', content_rowid='rowid');
  CREATE VIRTUAL TABLE "no content" USING "fts5"(a, content='');
  CREATE VIRTUAL TABLE old USING FTS4(a, b);
  CREATE VIRTUAL TABLE older USING fts3(a);
  CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1);""")
for i in range(2000):
    c.execute('INSERT INTO plain VALUES (?)', (f'plain {i}',))
    c.execute('INSERT INTO docs VALUES (?, ?)', (f'title {i}', f'word{i} body text alpha'))
    c.execute('INSERT INTO "no content"(rowid, a) VALUES (?, ?)', (i, f'word{i} alpha'))
    c.execute('INSERT INTO old VALUES (?, ?)', (f'title {i}', f'word{i} body text alpha'))
    c.execute('INSERT INTO older VALUES (?)', (f'title {i} word{i}',))
    c.execute('INSERT INTO boxes VALUES (?, ?, ?, ?, ?)', (i, i, i + 1, i, i + 2))
c.execute("INSERT INTO outside(outside) VALUES ('rebuild')")
c.commit()
for statement in sys.argv[2:]:
    c.execute(statement)
c.commit()
c.close()
os.chmod(sys.argv[1], 0o600)
P
}

# The table, and the statement that damages it.
damages=(
  "boxes|UPDATE boxes_node SET data = randomblob(length(data)) WHERE nodeno > 5"
  "boxes|DELETE FROM boxes_rowid WHERE rowid = 1900"
  "docs|UPDATE docs_data SET block = randomblob(length(block)) WHERE id > 10"
  "docs|UPDATE docs_content SET c1 = 'another text' WHERE id = 1900"
  "outside|UPDATE outside_data SET block = randomblob(length(block)) WHERE id > 10"
  "no content|UPDATE \"no content_data\" SET block = randomblob(length(block)) WHERE id > 10"
  "old|UPDATE old_segments SET block = randomblob(length(block))"
  "older|UPDATE older_segments SET block = randomblob(length(block))"
)

claim "sound virtual tables are ok to every check, and none of them writes"
make_virtual_tables sound.db
before=$(sha256sum sound.db)
run nerve-db health --deep --db sound.db
expect_stdout '^ok +sqlite\.schema'
run nerve-db backup --deep --db sound.db
expect_exit 0
expect_nowhere 'could not be checked'
run nerve-db backup verify latest --deep --db sound.db
expect_exit 0
expect_nowhere 'not checked'
run nerve-db backup drill --db sound.db --json
expect_exit 0
expect_equal "what was not checked" '[]' "$(json "$test_root/out" '$.drills[0].unchecked')"
run nerve-db salvage --db sound.db --to sound.new
expect_exit 0
expect_equal "the database" "$before" "$(sha256sum sound.db)"
[[ ! -e sound.db-wal && ! -e sound.db-journal ]] || fail "a companion was left"

for one in "${damages[@]}"; do
  table=${one%%|*}
  claim "damage behind $table is found by health, backup, verify, drill and salvage (${one#*|})"
  make_virtual_tables bad.db "${one#*|}"
  run nerve-db health --deep --db bad.db
  expect_exit 2
  expect_stdout "^critical +sqlite\\.schema +1 damaged .*$table: "
  run nerve-db backup --deep --db bad.db
  expect_exit 0
  expect_stderr "could not be checked in full: $table: "
  run nerve-db backup verify latest --deep --db bad.db
  expect_exit 0
  expect_stdout "^  not checked: $table: "
  run nerve-db backup drill --db bad.db
  expect_exit 0
  expect_stdout "^  not checked: $table: "
  run nerve-db salvage --db bad.db --to new.db
  expect_exit 10
  expect_stdout "^damaged behind a virtual table: $table: "
  expect_stderr 'all of .*/bad\.db was read'
  expect_equal "the rows" 2000 "$(sqlite3 -batch -readonly new.db 'SELECT count(*) FROM plain')"
done

claim "without --deep the first rows of a virtual table are read, which finds a malformed R-tree"
make_virtual_tables bad.db "UPDATE boxes_node SET data = randomblob(length(data)) WHERE nodeno > 5"
run nerve-db health --db bad.db
expect_exit 2
expect_stdout '^critical +sqlite\.schema +1 damaged .*boxes: '
run nerve-db backup --db bad.db
expect_exit 0
expect_stderr 'could not be checked in full: boxes: '

claim "what a module cannot check here is unknown, and never ok"
sqlite3 other.db "CREATE TABLE t(a); INSERT INTO t VALUES ('one'); CREATE VIRTUAL TABLE f USING fts4(a, content='t');
  INSERT INTO f(f) VALUES ('rebuild'); CREATE TABLE shapes_node(x); PRAGMA writable_schema = ON;
  INSERT INTO sqlite_schema VALUES ('table', 'shapes', 'shapes', 0, 'CREATE VIRTUAL TABLE shapes USING geometry_of_app(a)')"
chmod 600 other.db
run nerve-db health --deep --db other.db --json
for table in f shapes; do expect_stdout "\"message\": \"what these virtual tables keep could not be checked: .*$table: "; done
run nerve-db backup --db other.db
run nerve-db backup verify latest --deep --db other.db
expect_exit 0
for table in f shapes; do expect_stdout "^  not checked: $table: "; done
