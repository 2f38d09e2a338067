#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Databases with collations, functions and modules that only their application has: they are backed up, verified and
# restored, and what could not be checked is said.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# make_databases makes twelve of them, and prints their names.
make_databases() {
  python3 -I -S - <<'P'
import os, sqlite3


def connect(name):
    c = sqlite3.connect(name + '.db')
    c.create_collation('LOCALIZED', lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
    c.create_collation('BYLENGTH', lambda a, b: ((len(a), a) > (len(b), b)) - ((len(a), a) < (len(b), b)))
    c.create_function('slug', 1, lambda t: t.lower().replace(' ', '-') if t else t, deterministic=True)
    c.create_function('score', 1, lambda n: n * 7919 % 1000, deterministic=True)
    return c


def fill(c):
    c.executemany('INSERT INTO t(a) VALUES (?)', [(f'Row {i * 37 % 500} of 500',) for i in range(500)])


def with_schema(c, statement, *values):
    c.execute('PRAGMA writable_schema=ON')
    c.execute(statement, values)
    c.execute('PRAGMA writable_schema=OFF')


def keys(c):
    c.execute("INSERT INTO p VALUES ('One')")
    c.executemany("INSERT INTO t VALUES (?, 'oNE')", [(f'row {i}',) for i in range(500)])


def module(c):
    fill(c)
    with_schema(c, "INSERT INTO sqlite_schema VALUES ('table', 'shapes', 'shapes', 0, ?)",
                'CREATE VIRTUAL TABLE shapes USING geometry_of_app(a, b)')


def tokenizer(c):
    fill(c)
    with_schema(c, "UPDATE sqlite_schema SET sql = replace(sql, 'porter', 'of_app') WHERE name = 'f'")


databases = {
    'index': ('CREATE TABLE t(a TEXT); CREATE INDEX i ON t(a COLLATE LOCALIZED); CREATE TABLE plain(x)', fill),
    'column': ('CREATE TABLE t(a TEXT COLLATE LOCALIZED UNIQUE, b DEFAULT 1)', fill),
    'primary_key': ('CREATE TABLE t(a TEXT COLLATE BYLENGTH PRIMARY KEY, b DEFAULT 1)', fill),
    'no_rowid': ('CREATE TABLE t(a TEXT COLLATE LOCALIZED PRIMARY KEY, b DEFAULT 1) WITHOUT ROWID', fill),
    'expression': ('CREATE TABLE t(a TEXT); CREATE INDEX i ON t(slug(a))', fill),
    'partial': ('CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX i ON t(a) WHERE score(id) > 500', fill),
    'generated': ('CREATE TABLE t(a TEXT, s TEXT AS (slug(a)) VIRTUAL, k TEXT NOT NULL AS (slug(a)) STORED)', fill),
    'check': ('CREATE TABLE t(a TEXT CHECK (length(slug(a)) > 2))', fill),
    'trigger': ('CREATE TABLE t(a TEXT); CREATE TABLE log(x); CREATE VIEW v AS SELECT slug(a) AS s FROM t;'
                'CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (slug(NEW.a)); END', fill),
    'parent': ('CREATE TABLE p(k TEXT COLLATE LOCALIZED PRIMARY KEY); CREATE TABLE t(a TEXT, k TEXT REFERENCES p(k))',
               keys),
    'module': ('CREATE TABLE t(a TEXT); CREATE TABLE shapes_node(x)', module),
    'tokenizer': ("CREATE TABLE t(a TEXT); CREATE VIRTUAL TABLE f USING fts5(x, tokenize='porter')", tokenizer),
}
for name, (script, work) in databases.items():
    c = connect(name)
    c.executescript(script)
    work(c)
    c.commit()
    c.close()
    os.chmod(name + '.db', 0o600)
print(' '.join(databases))
P
}

claim "twelve databases with parts of their application are backed up, verified, restored and drilled, and are equal"
read -ra names <<<"$(make_databases)"
expect_equal "how many" 12 "${#names[@]}"
for name in "${names[@]}"; do
  for form in '' --plain '--full --deep' --no-check; do
    # shellcheck disable=SC2086  # words
    run nerve-db backup --db "$name.db" --repo "$name.repo" $form
    expect_exit 0
    run nerve-db backup verify latest --deep --db "$name.db" --repo "$name.repo"
    expect_exit 0
    rm -f restored.db
    run nerve-db restore latest --db "$name.db" --repo "$name.repo" --to restored.db
    expect_exit 0
    cmp "$name.db" restored.db || fail "$name $form was restored as another database"
  done
  run nerve-db backup drill --db "$name.db" --repo "$name.repo"
  expect_exit 0
  run nerve-db restore latest --db "$name.db" --repo "$name.repo" --yes
  expect_exit 0
  cmp "$name.db" restored.db || fail "$name was restored in place as another database"
done

claim "what could not be checked is said, and is unknown to health"
make_databases >/dev/null
run nerve-db backup --full --db column.db --repo said
expect_exit 0
expect_stderr 'these tables could not be checked in full: t: no such collation sequence: LOCALIZED'
run nerve-db backup verify latest --deep --db column.db --repo said
expect_stdout '^  not checked: t: no such collation sequence: LOCALIZED'
for name in column no_rowid generated; do
  run nerve-db health --db "$name.db" --repo "$name.repo"
  expect_exit 3
  expect_stdout '^unknown +sqlite\.integrity +1 tables not checked'
done

claim "damage of a table with parts of its application is found all the same"
make_databases >/dev/null
for name in column no_rowid generated; do
  page=$(sqlite3 -batch -readonly "$name.db" "SELECT pageno FROM dbstat WHERE name = 't' AND pagetype = 'leaf'
    ORDER BY pageno LIMIT 1 OFFSET 1")
  head -c 4096 /dev/zero | tr '\0' '\377' | dd of="$name.db" bs=4096 seek=$((page - 1)) conv=notrunc status=none
  run nerve-db health --db "$name.db" --repo "$name.repo"
  expect_exit 2
  expect_stdout '^critical +sqlite\.integrity'
  run nerve-db backup --db "$name.db" --repo "$name.repo"
  expect_exit 6
  expect_hint
  expect_stderr 'table t'
done

claim "a collation or function of the application keeps no table from being counted, measured and optimised"
make_databases >/dev/null
for name in index column primary_key no_rowid expression partial generated; do
  sqlite3 $name.db "CREATE TABLE measured(a PRIMARY KEY); INSERT INTO measured SELECT value FROM generate_series(1, 1000)"
  run nerve-db stats --db $name.db --json
  expect_exit 0
  expect_equal "the rows" 500 "$(sqlite3 -batch :memory: "SELECT json_extract(value, '$.rows') FROM
    json_each(CAST(readfile('$test_root/out') AS TEXT), '$.tables') WHERE json_extract(value, '$.name') = 't'")"
  run nerve-db optimize --apply --db $name.db
  expect_exit 0
  expect_equal "what is known" 1 "$(sqlite3 -batch -readonly $name.db "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'measured'")"
  run nerve-db health --db $name.db
  expect_stdout '^ok +sqlite\.statistics'
  expect_stdout '^ok +sqlite\.indexes'
done
run nerve-db optimize --db no_rowid.db
expect_stderr '^ANALYZE leaves out what only its application can analyse: t$'
run nerve-db health --db no_rowid.db
expect_stdout '^ok +sqlite\.statistics .*left out, for only their application can analyse them: t$'
expect_stdout '^to mend sqlite\.integrity: .*health\.skip'

claim "salvage of a sound database says that all was read where tables could not be made"
make_databases >/dev/null
run nerve-db salvage --db no_rowid.db --to new.db
expect_exit 10
expect_stderr 'error: all of .*/no_rowid\.db was read, and these could not be made: table t$'

claim "damage of an index with a function of the application is found by health, backup and convert alike"
make_databases >/dev/null
page=$(sqlite3 -batch -readonly expression.db "SELECT pageno FROM dbstat WHERE name = 'i' AND pagetype = 'leaf' LIMIT 1")
head -c 4096 /dev/zero | tr '\0' '\377' | dd of=expression.db bs=4096 seek=$((page - 1)) conv=notrunc status=none
run nerve-db health --db expression.db
expect_exit 2
for command in 'backup --db expression.db' 'convert --plan expression.db'; do
  # shellcheck disable=SC2086  # words
  run nerve-db $command
  expect_exit 6
  expect_stderr 'is damaged: index i: '
  expect_no_stdout
done
run nerve-db convert --plan column.db
expect_exit 0
expect_stdout '^not checked in full: table t: no such collation sequence: LOCALIZED'

claim "convert --no-check leaves out the tables that SQLite cannot read, and no others"
make_database shop.db
damage shop.db album
run nerve-db convert --plan --no-check shop.db
expect_stdout '^artist -> public\.artist: 50 rows'
expect_stdout '^no equal: table album: SQLite cannot read it: its pages are damaged'
run nerve-db convert --plan shop.db
expect_exit 6
expect_stderr '^hint: .*With --no-check'

claim "a damaged record of a full-text index keeps nothing from being backed up, restored and salvaged"
sqlite3 text.db "CREATE VIRTUAL TABLE d USING fts5(a, b); INSERT INTO d VALUES('hello', 'world');
  CREATE TABLE important(x); INSERT INTO important SELECT value FROM generate_series(1, 1000);"
sqlite3 rtree.db "CREATE VIRTUAL TABLE d USING rtree(id, x1, x2); INSERT INTO d VALUES(1, 2, 3);
  CREATE TABLE important(x); INSERT INTO important SELECT value FROM generate_series(1, 1000);"
python3 -I -S -c "
import sqlite3
for name, change in (('text', \"UPDATE d_data SET block = x'0000000EEEEEEEEEEEEEEEEE' WHERE id = 10\"),
                     ('rtree', 'DELETE FROM d_node')):
    c = sqlite3.connect(name + '.db'); c.execute(change); c.commit()"
chmod 600 text.db rtree.db
for name in text rtree; do
  run nerve-db backup --db $name.db --repo $name.repo
  expect_exit 0
  expect_stderr 'these tables could not be checked in full: d: .*malformed'
  run nerve-db restore latest --db $name.db --repo $name.repo --to $name.restored
  expect_exit 0
  cmp $name.db $name.restored || fail "$name.db was restored as another database"
  run nerve-db salvage --db $name.db --to $name.new
  expect_equal "the rows" 1000 "$(sqlite3 -batch -readonly $name.new 'SELECT count(*) FROM important')"
  run nerve-db health --db $name.db --repo $name.repo
  expect_exit 2
  expect_stdout '^critical +sqlite\.schema +1 damaged .*all others can be read: d: '
done

claim "a sqlite_sequence with other columns keeps no table from being salvaged"
sqlite3 sequence.db "CREATE TABLE q(a INTEGER PRIMARY KEY AUTOINCREMENT, b); INSERT INTO q(b) VALUES ('x'), ('y');
  PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE sqlite_sequence(name,xeq)' WHERE name = 'sqlite_sequence'"
chmod 600 sequence.db
run nerve-db salvage --db sequence.db --to sequence.new
expect_exit 0
expect_equal "the rows" 'x y' "$(sqlite3 -batch sequence.new 'SELECT b FROM q ORDER BY a' | paste -sd ' ')"
expect_equal "the next number" 3 "$(sqlite3 -batch sequence.new "INSERT INTO q(b) VALUES ('z') RETURNING a")"
