#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a repository makes of databases that lost their rows, of a lost or damaged marker, and of other repositories.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A database with a backup, of which nothing is left but a file of zero bytes.
prepare_emptied() {
  make_database shop.db
  digest=$(content shop.db)
  id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
  : >shop.db
}

claim "a backup of a database that lost all its rows is kept as emptied, with exit code 10, and is not latest"
prepare_emptied
run nerve-db backup --db shop.db --repo repo
expect_exit 10
expect_stdout '^[0-9a-f]{8}-'
expect_stderr "^nerve-db: error: $work/shop\.db has lost all its rows: its backup ${id: -8} of .* holds 2,050 rows"
expect_stderr "^hint: To bring the rows back: nerve-db restore ${id: -8} --repo $work/repo --db $work/shop\.db\."
emptied=$(stdout)
run nerve-db backup list --repo repo
expect_stdout "^${emptied: -8} .* manual +emptied "
run nerve-db backup show "$emptied" --repo repo --json
nerve-db backup show "$emptied" --repo repo --json 2>/dev/null >manifest.json
expect_equal "the mark in the manifest" 1 "$(json manifest.json '$.emptied')"
run nerve-db restore latest --repo repo --db shop.db --yes
expect_exit 0
expect_equal "the content" "$digest" "$(content shop.db)"

claim "a second backup of an emptied database does not pass either, and one with rows is latest again"
prepare_emptied
run nerve-db backup --db shop.db --repo repo --quiet
expect_exit 10
sqlite3 -batch shop.db 'CREATE TABLE artist(id INTEGER PRIMARY KEY)'
run nerve-db backup --db shop.db --repo repo --quiet
expect_exit 10
sqlite3 -batch shop.db 'INSERT INTO artist VALUES (1)'
run nerve-db backup --db shop.db --repo repo --quiet
expect_exit 0
newest=$(stdout)
run nerve-db backup show latest --repo repo
expect_stdout "^id +$newest$"

claim "a backup of an emptied database is restored by its id, and the plan says what it is"
prepare_emptied
emptied=$(nerve-db backup --db shop.db --repo repo --quiet 2>/dev/null)
run nerve-db restore "$emptied" --repo repo --to copy.db --dry-run
expect_exit 0
expect_stdout '^note: the backup holds no rows'

claim "a first backup without rows is good, with a warning"
: >new.db
run nerve-db backup --db new.db --repo repo
expect_exit 0
expect_stderr "^nerve-db: warning: $work/new\.db holds no rows"
run nerve-db restore latest --repo repo --db new.db --yes
expect_exit 0

claim "other databases of the repository do not make one an emptied one"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
: >new.db
run nerve-db backup --db new.db --repo repo
expect_exit 0

claim "a repository without its marker is told as that, and one command mends it"
make_database shop.db
digest=$(content shop.db)
nerve-db backup --db shop.db --repo 're po' --quiet >/dev/null
rm 're po/nerve-repository.json'
for words in 'backup list' 'backup show latest' 'backup verify --all' 'backup --db shop.db' \
  'restore latest --db shop.db --yes' 'restore latest --to copy.db'; do
  # shellcheck disable=SC2086
  refused 6 "re po has lost its marker nerve-repository\.json; it holds 1 backup$" nerve-db $words --repo 're po'
  expect_stderr "^hint: .*: nerve-db backup repair --repo '$work/re po'\.$"
done
run nerve-db backup repair --repo 're po'
expect_exit 0
expect_stdout 'made the marker of .* anew; backups in it: 1$'
run nerve-db backup verify --all --repo 're po'
expect_exit 0
run nerve-db restore latest --repo 're po' --to copy.db
expect_exit 0
expect_equal "the content" "$digest" "$(content copy.db)"

claim "a repository with a damaged marker is told as that, and the same command mends it"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
for marker in '' '{"for' '{"format": "one"}' '[]'; do
  printf '%s' "$marker" >repo/nerve-repository.json
  for words in 'backup list' 'backup --db shop.db'; do
    # shellcheck disable=SC2086
    refused 6 'the marker of the backup repository is damaged' nerve-db $words --repo repo
    expect_stderr "^hint: .*: nerve-db backup repair --repo $work/repo\.$"
  done
  run nerve-db backup repair --repo repo --json
  expect_exit 0
  nerve-db backup repair --repo repo --json >again.json
  expect_equal "a second repair" 0 "$(json again.json '$.repaired')"
  expect_equal "the backups" 1 "$(json again.json '$.backups')"
  run nerve-db backup list --repo repo
  expect_exit 0
done

claim "repair leaves alone what is no repository, and what is of a later format"
make_database shop.db
mkdir other
: >other/letter.txt
refused 3 'holds no backup' nerve-db backup repair --repo other
refused 3 'holds no backup' nerve-db backup repair --repo nowhere
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
echo '{"format": 2}' >repo/nerve-repository.json
refused 11 'format 2' nerve-db backup repair --repo repo
rm repo/nerve-repository.json
sed -i 's/"format": 2/"format": 3/' "repo/$id/manifest.json"
refused 11 'format 3' nerve-db backup repair --repo repo

claim "a repository inside a repository is refused"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
refused 4 'inside the backup repository .*/repo$' nerve-db backup --db shop.db --repo repo/inner
refused 4 'inside the backup repository' nerve-db backup --db shop.db --repo "repo/$id/inner"
# Beside the copy of a backup it would pass for damage of that backup.
refused 4 'inside the backup repository' nerve-db backup --db "repo/$id/database.sqlite"

claim "verify of what was kept of a damaged database says whose copy it is"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
damage shop.db album
nerve-db restore latest --repo repo --db shop.db --yes --quiet >/dev/null
raw=$(nerve-db backup list --repo repo 2>/dev/null | awk '/ damaged / {print $1}')
run nerve-db backup verify "$raw" --repo repo
expect_exit 0
expect_stdout "${raw} +ok, but of a database that was damaged$"
nerve-db backup verify "$raw" --repo repo --json >report.json
expect_equal "the state" damaged "$(json report.json '$.state')"

claim "a backup that somebody removed is missed, until a repair says that it may be"
make_database shop.db
first=$(nerve-db backup --db shop.db --repo repo --quiet)
sqlite3 -batch shop.db "UPDATE artist SET name = name || 1 WHERE id = 1"
second=$(nerve-db backup --db shop.db --repo repo --quiet)
rm -r "repo/$second"
run nerve-db restore latest --repo repo --db shop.db --to old.db
expect_exit 6
expect_stderr "the newest backup may be $second, which is damaged: its folder is gone, and no prune removed it"
expect_stderr "^hint: .* give its id: ${first: -8}\. If it was removed on purpose: nerve-db backup repair --repo $work/repo\."
run nerve-db backup list --repo repo
expect_stdout "^${second: -8} .* gone +its folder is gone"
run nerve-db backup list --repo repo --ids
expect_equal "the ids" "$first" "$(stdout)"
run nerve-db backup verify --all --repo repo
expect_exit 6
run nerve-db backup repair --repo repo
expect_exit 0
expect_stdout '^made the catalogue of .* anew; backups in it: 1$'
expect_stdout "^  backup $second is gone, and no longer missed$"
run nerve-db backup verify --all --repo repo
expect_exit 0

claim "an older catalogue that is put back is told by each backup, list and verify --all"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
cp repo/catalogue.jsonl older
sqlite3 -batch shop.db "UPDATE artist SET name = name || 1 WHERE id = 1"
second=$(nerve-db backup --db shop.db --repo repo --quiet)
cp older repo/catalogue.jsonl
run nerve-db backup list --repo repo
expect_stderr "warning: the catalogue $work/repo/catalogue\.jsonl does not know backup $second: an older catalogue was put back"
run nerve-db backup verify --all --repo repo
expect_exit 6
expect_stderr "error: the catalogue $work/repo/catalogue\.jsonl does not know backup $second"
run nerve-db backup --db shop.db --repo repo
expect_exit 0
expect_stderr "warning: the catalogue .* does not know backup $second"
run nerve-db restore latest --repo repo --db shop.db --to new.db
expect_exit 0
run nerve-db backup repair --repo repo --json
expect_exit 0
run nerve-db backup verify --all --repo repo
expect_exit 0

claim "verify --all counts damaged backups, and tells of the catalogue beside them"
make_database shop.db
for step in 1 2 3; do
  sqlite3 -batch shop.db "DELETE FROM album WHERE id = $step"
  last=$(nerve-db backup --db shop.db --repo repo --quiet)
done
printf 'x' | dd of="repo/$last/pages.zst" bs=1 seek=90 conv=notrunc status=none
run nerve-db backup verify --all --repo repo
expect_exit 6
expect_stderr 'error: 1 of 3 backups is damaged$'
sed -i '$d' repo/catalogue.jsonl
echo '{}' >>repo/catalogue.jsonl
run nerve-db backup verify --all --repo repo
expect_exit 6
expect_stderr 'error: 1 of 3 backups is damaged, and the catalogue is not what it should be$'
rm -r repo/catalogue.jsonl
first=$(nerve-db backup list --ids --repo repo 2>/dev/null | sed -n 2p)
printf 'x' | dd of="repo/$first/pages.zst" bs=1 seek=90 conv=notrunc status=none
nerve-db backup repair --repo repo --quiet
run nerve-db backup verify --all --repo repo
expect_exit 6
expect_stderr 'error: [23] of 3 backups are damaged$'
