#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What somebody else put into a repository is told with exit code 6, and at once; a damaged database is kept.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

prepare_repository() {
  make_database shop.db
  id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
}

claim "a link in the place of the partial marker leaves its target as it is"
make_database shop.db
echo precious >victim
mkdir repo
ln -s "$work/victim" repo/.nerve-repository.json.partial
run nerve-db backup --db shop.db --repo repo
expect_exit 6
expect_stderr 'repo/\.nerve-repository\.json\.partial is a symbolic link, not a file$'
expect_stderr '^hint: .* move it away\.$'
expect_equal "the victim" precious "$(cat victim)"

claim "a link in the place of the marker is told by repair, and its target stays as it is"
prepare_repository
echo precious >victim
ln -sf "$work/victim" repo/nerve-repository.json
run nerve-db backup repair --repo repo
expect_exit 6
expect_stderr 'is a symbolic link, not a file$'
expect_equal "the victim" precious "$(cat victim)"

claim "a FIFO in the place of a manifest is told by verify, and the next backup is made"
prepare_repository
rm "repo/$id/manifest.json"
mkfifo "repo/$id/manifest.json"
run nerve-db backup verify --all --repo repo
expect_exit 6
expect_stdout 'manifest\.json is a FIFO, not a file'
run nerve-db backup --db shop.db --repo repo
expect_exit 0

claim "a FIFO in the place of the catalogue or the marker is refused at once"
prepare_repository
for file in catalogue.jsonl nerve-repository.json; do
  mv "repo/$file" kept
  mkfifo "repo/$file"
  run nerve-db backup list --repo repo
  expect_exit 6
  expect_stderr "repo/$file is a FIFO, not a file"
  rm "repo/$file"
  mv kept "repo/$file"
done

claim "a database that is cut by one byte is damaged, and what there is of it is kept"
make_database shop.db
sqlite3 -batch shop.db 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE' >/dev/null
truncate -s -1 shop.db
run nerve-db backup --db shop.db --repo repo
expect_exit 6
expect_stderr 'it is cut off: its last 1 byte is missing'
expect_stderr 'was kept as backup'
run nerve-db backup list --repo repo
expect_stdout 'damaged'

claim "a database of an unknown schema format is damaged, and kept as it lies"
make_database shop.db
sqlite3 -batch shop.db 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE' >/dev/null
printf '\x0c' | dd of=shop.db bs=1 seek=47 conv=notrunc status=none
run nerve-db backup --db shop.db --repo repo
expect_exit 6
expect_stderr 'has a schema format that SQLite does not know'
kept=$(basename "$(dirname repo/*-*/manifest.json)")
run nerve-db restore "$kept" --repo repo --to kept.db
expect_exit 0
cmp shop.db kept.db || fail "the kept database is another one"
