#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every real database is looked at where it lies, backed up, verified, and restored with equal content. The files
# themselves are only read.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data=${NERVE_TEST_DATA:-$NERVE_SOURCE_DIR/../shared/data}/sqlite
if [[ ! -d $data ]]; then
  claim "real databases"
  skip "there is no folder $data"
  exit 0
fi

data_before=$(snapshot_of "$data")
for file in "$data"/*.sqlite "$data"/*.db; do
  name=$(basename "$file")

  claim "$name: health looks into it and finds no damage"
  run nerve-db health --db "$file" --deep --json
  cp "$test_root/out" report.json
  # The files lie readable for all, which is a warning of its own.
  [[ $code -le 1 ]] || fail "health finds more than a warning"
  expect_equal "the integrity" ok "$(sqlite3 -batch :memory: "SELECT json_extract(value, '\$.status')
    FROM json_each(CAST(readfile('report.json') AS TEXT), '\$.checks')
    WHERE json_extract(value, '\$.id') = 'sqlite.integrity'")"

  claim "$name: stats counts the rows that sqlite3 counts"
  run nerve-db stats --db "$file" --json
  expect_exit 0
  cp "$test_root/out" stats.json
  sqlite3 -batch :memory: "SELECT json_extract(value, '\$.name') || '|' || json_extract(value, '\$.rows') FROM
    json_each(CAST(readfile('stats.json') AS TEXT), '\$.tables') WHERE json_extract(value, '\$.kind') = 'table'
    ORDER BY 1" >ours
  sqlite3 -batch -readonly "file:$file?immutable=1" "SELECT name FROM pragma_table_list WHERE type = 'table'
    AND schema = 'main' AND name != 'sqlite_schema' ORDER BY name" |
    while IFS= read -r table; do
      count=$(sqlite3 -batch -readonly "file:$file?immutable=1" "SELECT count(*) FROM \"${table//\"/\"\"}\"")
      echo "$table|$count"
    done >theirs
  run diff <(sort ours) <(sort theirs)
  expect_exit 0

  claim "$name: a backup is verified and restores to a file of equal content"
  run nerve-db backup --db "$file" --repo repo
  expect_exit 0
  run nerve-db backup verify latest --deep --repo repo
  expect_exit 0
  run nerve-db restore latest --repo repo --to restored.db
  expect_exit 0
  expect_equal "the dump" "$(sqlite3 -batch -readonly "file:$file?immutable=1" .dump | sha256sum)" \
    "$(sqlite3 -batch -readonly restored.db .dump | sha256sum)"
done

claim "chinook with an overwritten page is found, named, not backed up, and brought back"
if [[ -f $data/chinook.sqlite ]]; then
  cp "$data/chinook.sqlite" chinook.sqlite
  chmod 600 chinook.sqlite
  digest=$(content chinook.sqlite)
  nerve-db backup --db chinook.sqlite --quiet >/dev/null
  damage chinook.sqlite Track
  run nerve-db health --db chinook.sqlite
  expect_exit 2
  expect_stdout '^critical +sqlite\.integrity .*Track'
  run nerve-db backup --db chinook.sqlite
  expect_exit 6
  expect_stderr 'Track'
  run nerve-db restore latest --db chinook.sqlite --yes
  expect_exit 0
  expect_equal "the content" "$digest" "$(content chinook.sqlite)"
else
  skip "chinook.sqlite is not there"
fi

claim "the data itself was not touched"
expect_equal "the folder" "$data_before" "$(snapshot_of "$data")"
