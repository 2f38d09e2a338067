#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The forms of backups: full, delta, plain and encrypted.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

claim "the first backup is a full that zstd alone restores, the next one a delta"
make_database shop.db
full=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
zstd --quiet --decompress "repo/$full/pages.zst" -o by_zstd.db
cmp shop.db by_zstd.db || fail "zstd restored another file"
sqlite3 -batch shop.db 'DELETE FROM album WHERE id < 20'
delta=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
run nerve-db backup list --repo repo
expect_stdout "^${full: -8} .* full +[0-9.]+ KiB +2,050 +manual"
expect_stdout "^${delta: -8} .* delta +[0-9.]+ KiB +2,031 +manual"
run nerve-db backup show latest --repo repo
expect_stdout "^delta to +$full$"
run nerve-db restore latest --repo repo --to copy.db
expect_exit 0
cmp shop.db copy.db || fail "another file was restored"
run nerve-db backup verify latest --repo repo --deep
expect_exit 0
expect_stdout '^  2,031 rows, 0 without parent'

claim "--full makes a full, --plain an ordinary file, and both at once are refused"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
nerve-db backup --db shop.db --repo repo --full --quiet >/dev/null
id=$(nerve-db backup --db shop.db --repo repo --plain --quiet)
run nerve-db backup list --repo repo
expect_equal "fulls" 2 "$(stdout | grep -c ' full ')"
expect_equal "plain copies" 1 "$(stdout | grep -c ' plain ')"
cmp shop.db "repo/$id/database.sqlite" || fail "the plain copy is another file"
refused 2 'both given' nerve-db backup --db shop.db --repo repo --full --plain
refused 2 'both given' nerve-db backup --db shop.db --repo repo --deep --no-check

claim "an altered container is found by verify, with its place, and restore refuses it"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
printf 'x' | dd of="repo/$id/pages.zst" bs=1 seek=9000 conv=notrunc status=none
run nerve-db backup verify --repo repo
expect_exit 6
expect_stdout "^  .*/pages\.zst: group 0 is damaged: "
refused 6 "backup $id is damaged: .*group 0" nerve-db restore "$id" --repo repo --to copy.db

claim "with a passphrase the backups of a database are encrypted and stay so"
make_database shop.db
(umask 077 && echo 'correct horse battery staple' >pass)
nerve-db backup --db shop.db --repo repo --passphrase-file pass --quiet >/dev/null
sqlite3 -batch shop.db 'DELETE FROM album WHERE id < 20'
refused 2 'no key is given' nerve-db backup --db shop.db --repo repo
expect_stderr '^hint: Give it by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE\.'
run env NERVE_PASSPHRASE='correct horse battery staple' "$NERVE_DB_BIN" backup --db shop.db --repo repo
expect_exit 0
run nerve-db backup list --repo repo
expect_stdout ' delta, encrypted '
expect_nowhere 'correct horse'
refused 2 'no key is given' nerve-db restore latest --repo repo --to copy.db
(umask 077 && echo 'wrong' >wrong)
refused 5 'encrypted with another passphrase' nerve-db restore latest --repo repo --to copy.db --passphrase-file wrong
run nerve-db restore latest --repo repo --to copy.db --passphrase-file pass
expect_exit 0
cmp shop.db copy.db || fail "another file was restored"
refused 2 'no folder is named for that' nerve-db backup verify latest --deep --repo repo --passphrase-file pass
run nerve-db backup verify --all --deep --repo repo --passphrase-file pass --scratch .
expect_exit 0
if grep -rqa 'Album 1500' repo; then fail "the repository holds text of the database"; fi

claim "a passphrase that begins the backups of a database is typed twice, and a mistyped one never begins more"
make_database shop.db
ask='Passphrase of the backups: '
again='The same again: '
run on_terminal "$ask" 'correct horse' "$again" 'correct house' -- "$NERVE_DB_BIN" backup --db shop.db --repo repo --encrypt
expect_exit 2
expect_stdout 'the two passphrases differ'
run on_terminal "$ask" 'correct horse' "$again" 'correct horse' -- "$NERVE_DB_BIN" backup --db shop.db --repo repo --encrypt
expect_exit 0
run on_terminal "$ask" 'correct horse' -- "$NERVE_DB_BIN" backup --db shop.db --repo repo
expect_exit 0
# With the ends of all its containers cut off, the key is still known by their beginnings.
for file in repo/*/pages.sealed; do truncate -s -1 "$file"; done
run on_terminal "$ask" 'correct house' -- "$NERVE_DB_BIN" backup --db shop.db --repo repo
expect_exit 5
expect_stdout 'the key opens none of the encrypted backups of .*/shop\.db in .*: .* is encrypted with another passphrase$'
expect_stdout 'hint: .*name a new folder with --repo\.$'
run on_terminal "$ask" 'correct horse' -- "$NERVE_DB_BIN" backup --db shop.db --repo repo
expect_exit 0
expect_stdout 'as an encrypted full of'

claim "a passphrase or key that others may read is refused, and so is what is no key"
make_database shop.db
echo 'correct horse' >pass
chmod 0644 pass
refused 5 'pass' nerve-db backup --db shop.db --repo repo --passphrase-file pass
(umask 077 && echo 'not a key' >key)
refused 2 'is not a key file' nerve-db backup --db shop.db --repo repo --key-file key
refused 2 'both given' nerve-db backup --db shop.db --repo repo --key-file key --passphrase-file pass

claim "a key file encrypts too"
make_database shop.db
(umask 077 && openssl rand -hex 32 >key)
run nerve-db backup --db shop.db --repo repo --key-file key
expect_exit 0
run nerve-db restore latest --repo repo --to copy.db --key-file key
expect_exit 0
cmp shop.db copy.db || fail "another file was restored"

claim "restore latest --at TIME takes the newest that was made by then"
make_database shop.db
first=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
sleep 1.1
between=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1.1
sqlite3 -batch shop.db 'DELETE FROM album WHERE id < 20'
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
run nerve-db restore latest --at "$between" --repo repo --to copy.db
expect_exit 0
expect_stdout "from backup ${first: -8}"
refused 3 'made at 2020-01-01T00:00:00.000000Z or before' \
  nerve-db restore latest --at 2020-01-01T00:00:00Z --repo repo --to other.db
refused 2 '--at: timestamp does not begin' nerve-db restore latest --at yesterday --repo repo --to other.db
refused 2 'given with the id of a backup' nerve-db restore "$first" --at "$between" --repo repo --to other.db

claim "a restore in place keeps what was there as a delta"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
before=$(content shop.db)
sqlite3 -batch shop.db 'DELETE FROM album'
run nerve-db restore latest --db shop.db --repo repo --yes
expect_exit 0
expect_equal "the content" "$before" "$(content shop.db)"
run nerve-db backup list --repo repo
expect_stdout ' delta .* safety '

claim "a migration of a database whose backups are encrypted needs the passphrase for the one before it"
make_database shop.db
(umask 077 && echo 'correct horse' >pass)
nerve-db backup --db shop.db --passphrase-file pass --quiet >/dev/null
mkdir -p m/app
printf -- '-- migrate:up\nCREATE TABLE more (id INTEGER PRIMARY KEY);\n-- migrate:down\nDROP TABLE more;\n' >m/app/0001_more.sql
refused 5 'no passphrase is given for the one before the migration' nerve-db migrate up --db shop.db --dir m
run env NERVE_PASSPHRASE='correct horse' "$NERVE_DB_BIN" migrate up --db shop.db --dir m
expect_exit 0

claim "prune keeps what the policy says, merges deltas over what goes, and asks before it removes"
make_database shop.db
for step in 1 2 3 4 5; do
  sqlite3 -batch shop.db "DELETE FROM album WHERE id = $step"
  nerve-db backup --db shop.db --repo repo --quiet >/dev/null
done
refused 2 'nothing says which backups are to be kept' nerve-db backup prune --repo repo
refused 2 'no terminal to ask on' nerve-db backup prune --repo repo --keep-last 2
run nerve-db backup prune --repo repo --keep-last 2 --dry-run
expect_exit 0
expect_stdout ' remove '
expect_stdout ' merge '
expect_equal "the backups" 5 "$(nerve-db backup list --ids --repo repo 2>/dev/null | wc -l)"
run nerve-db backup prune --repo repo --keep-last 2 --yes
expect_exit 0
expect_stdout '^2 kept, 1 merged, 2 removed, '
run nerve-db restore latest --repo repo --to copy.db
cmp shop.db copy.db || fail "another file was restored"
run nerve-db backup verify --all --repo repo
expect_exit 0

claim "what is held is not pruned until it is released"
make_database shop.db
nerve-db backup --db shop.db --repo repo --full --quiet >/dev/null
nerve-db backup hold latest --repo repo --reason 'before the audit' >/dev/null 2>&1
nerve-db backup --db shop.db --repo repo --full --quiet >/dev/null
nerve-db backup prune --repo repo --keep-last 1 --yes >/dev/null 2>&1
first=$(nerve-db backup list --ids --repo repo 2>/dev/null | head -n 1)
expect_equal "the backups" 2 "$(nerve-db backup list --ids --repo repo 2>/dev/null | wc -l)"
run nerve-db backup release "$first" --repo repo
expect_stdout 'is no longer held$'
nerve-db backup prune --repo repo --keep-last 1 --yes >/dev/null 2>&1
expect_equal "the backups" 1 "$(nerve-db backup list --ids --repo repo 2>/dev/null | wc -l)"

claim "a second folder gets what it lacks, and a backup stands where it cannot be copied"
make_database shop.db
first=$(nerve-db backup --db shop.db --repo repo --quiet)
sqlite3 -batch shop.db "UPDATE artist SET name = name || 1 WHERE id = 1"
run nerve-db backup --db shop.db --repo repo --also second
expect_exit 0
expect_stderr "^copied 2 backups, .*, to $work/second$"
second=$(stdout)
expect_equal "the ids in the second folder" "$first $second" "$(nerve-db backup list --ids --repo second --quiet | tr '\n' ' ' | sed 's/ $//')"
run nerve-db restore latest --repo second --db shop.db --to copy.db
expect_exit 0
expect_equal "the content" "$(content shop.db)" "$(content copy.db)"
run nerve-db backup --db shop.db --repo repo --also shop.db
expect_exit 10
expect_stdout '^[0-9a-f]{8}-'
expect_stderr "error: backup [0-9a-f]{8} was made, but not copied to shop\.db: .* is not a folder"
expect_hint
run nerve-db backup --db shop.db --repo repo --also repo
expect_exit 10
expect_stderr 'is the repository itself'

claim "where the first folder is gone, put back or damaged, errors and health name the second one"
make_database shop.db
nerve-db backup --db shop.db --quiet >/dev/null
nerve-db backup --db shop.db --also 'second one' --quiet >/dev/null
cp -r shop.db.backups kept
copies="Copies of it were made in $work/second one: nerve-db backup list --repo '$work/second one'\."
sqlite3 -batch shop.db 'DELETE FROM album WHERE id = 1'
damaged=$(nerve-db backup --db shop.db --also 'second one' --quiet)
printf 'x' | dd of="shop.db.backups/$damaged/pages.zst" bs=1 seek=90 conv=notrunc status=none
run nerve-db backup verify "$damaged" --db shop.db
expect_exit 6
expect_stderr "^hint: .*$copies"
rm -r shop.db.backups && cp -r kept shop.db.backups
run nerve-db restore latest --db shop.db --to copy.db
expect_exit 6
expect_stderr "^hint: Look for the newer backups, such as in the copies in $work/second one: nerve-db backup list --repo '$work/second one'\. "
nerve-db backup repair --db shop.db --quiet
rm -r shop.db.backups
refused 3 "there is no backup repository at $work/shop\.db\.backups" nerve-db restore latest --db shop.db --to copy.db
expect_stderr "^hint: .*$copies"
refused 3 "there is no backup repository at" nerve-db restore "$damaged" --db shop.db --to copy.db
expect_stderr "^hint: .*$copies"
refused 3 "there is no backup repository at" nerve-db backup list --db shop.db
expect_stderr "^hint: .*$copies"
refused 3 "there is no backup repository at" nerve-db backup verify --all --db shop.db
expect_stderr "^hint: .*$copies"
run nerve-db health --db shop.db
expect_stdout "^warning +backup\.age .*; the repository is not there, and copies of it were made in $work/second one"
expect_stdout "^to mend backup\.age: nerve-db backup list --repo '$work/second one'\$"
run nerve-db restore latest --db shop.db --repo 'second one' --to copy.db
expect_exit 0
cmp shop.db copy.db || fail "another file was restored"

claim "of a path that stood for several databases it is told whether a file stands there now"
make_database shop.db
nerve-db backup --db shop.db --quiet >/dev/null
rm shop.db
sqlite3 -batch shop.db 'CREATE TABLE other(x); INSERT INTO other VALUES (randomblob(90000))'
nerve-db backup --db shop.db --quiet >/dev/null
mv shop.db aside.db
refused 4 'holds backups of 2 databases that were called .*, and no file stands there now; ' nerve-db restore latest --db shop.db --to copy.db
sqlite3 -batch shop.db 'CREATE TABLE third(x); INSERT INTO third VALUES (randomblob(90000))'
refused 4 'holds backups of 2 databases that were called .*, and what stands there now is none of them; ' \
  nerve-db restore latest --db shop.db --to copy.db

claim "what cannot be consolidated, and a key that is not given, is told with what to do"
make_database shop.db
(umask 077 && openssl rand -hex 32 >key)
nerve-db backup --db shop.db --quiet >/dev/null
sqlite3 -batch shop.db 'DELETE FROM album WHERE id = 1'
delta=$(nerve-db backup --db shop.db --quiet)
printf 'x' | dd of="shop.db.backups/$delta/pages.zst" bs=1 seek=300 conv=notrunc status=none
refused 6 'its list of pages was altered' nerve-db backup consolidate "$delta" --db shop.db
expect_stderr "^hint: Make a new full of the database: nerve-db backup --full --repo $work/shop.db.backups --db $work/shop.db\. "
nerve-db backup --db shop.db --repo sealed --key-file key --quiet >/dev/null
refused 2 'no key is given' nerve-db restore latest --db shop.db --repo sealed --to copy.db
expect_stderr '^hint: Give it by --passphrase-file FILE, --key-file FILE, --recovery-key-file FILE or NERVE_PASSPHRASE\.$'
for command in 'backup' 'backup recovery-key'; do
  # shellcheck disable=SC2086
  refused 2 'no key is given' nerve-db $command --db shop.db --repo sealed
  expect_stderr '^hint: Give it by --passphrase-file FILE, --key-file FILE or NERVE_PASSPHRASE\.$'
done

claim "a new first folder is filled from the second by a backup the other way round, and nothing is alarmed"
make_database shop.db
for step in 1 2 3; do
  sqlite3 -batch shop.db "DELETE FROM album WHERE id = $step"
  nerve-db backup --db shop.db --repo first --also second --quiet >/dev/null
done
ids=$(nerve-db backup list --ids --repo second 2>/dev/null)
rm -r first
run nerve-db backup --db shop.db --repo second --also first
expect_exit 0
expect_stderr '^copied 4 backups'
run nerve-db backup list --repo first
expect_nowhere warning
run nerve-db backup verify --all --repo first
expect_exit 0
run nerve-db restore latest --repo first --db shop.db --to copy.db
expect_exit 0
cmp shop.db copy.db || fail "another file was restored"
sqlite3 -batch shop.db 'DELETE FROM album WHERE id = 4'
run nerve-db backup --db shop.db --repo first --also second
expect_exit 0
expect_stderr 'as a delta of '
expect_stderr '^copied 1 backup,'
expect_nowhere 'this machine'
expect_equal "the backups" "$(nerve-db backup list --ids --repo second 2>/dev/null)" "$(nerve-db backup list --ids --repo first 2>/dev/null)"
expect_equal "the old ones" "$ids" "$(nerve-db backup list --ids --repo first 2>/dev/null | grep -F "$ids")"

claim "a second folder that was put back is told when it is copied to"
make_database shop.db
nerve-db backup --db shop.db --repo first --also second --quiet >/dev/null
cp -r second kept
nerve-db backup --db shop.db --repo first --also second --quiet >/dev/null
rm -r second && mv kept second
run nerve-db backup --db shop.db --repo first --also second
expect_exit 0
expect_stderr "^nerve-db: warning: this machine has seen backup number 2 in $work/second "
expect_stderr '^copied 2 backups'
run nerve-db backup verify --all --repo second
expect_exit 0

claim "a damaged database is kept as damaged, and restored only to a file that is to be salvaged"
make_database shop.db
good=$(nerve-db backup --db shop.db --repo repo --quiet)
damage shop.db album
run nerve-db backup --db shop.db --repo repo
expect_exit 6
expect_stderr 'what there is was kept as backup [0-9a-f]{8}, which counts as damaged'
damaged=$(nerve-db backup list --ids --repo repo --quiet | tail -1)
run nerve-db backup list --repo repo
expect_stdout "^${damaged: -8} .* damaged "
run nerve-db restore "$damaged" --repo repo --db shop.db --yes
expect_exit 6
expect_hint
run nerve-db restore "$damaged" --repo repo --to damaged.db
expect_exit 0
expect_stderr "note: the database was damaged when it was backed up"
expect_equal "the bytes" "$(sha256sum <shop.db)" "$(sha256sum <damaged.db)"
run nerve-db backup show latest --repo repo
expect_stdout "^id +$good$"

claim "a delta is made a full without the database"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
sqlite3 -batch shop.db "UPDATE artist SET name = name || 1 WHERE id = 1"
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
digest=$(content shop.db)
rm shop.db
run nerve-db backup consolidate --repo repo
expect_exit 0
full=$(stdout)
run nerve-db backup show latest --repo repo
expect_stdout "^id +$full$"
expect_stdout '^form +full$'
zstd -qd "repo/$full/pages.zst" -o by_zstd.db
expect_equal "the content" "$digest" "$(content by_zstd.db)"
run nerve-db backup consolidate --repo repo
expect_exit 0
expect_equal "what stands for itself already" "$full" "$(stdout)"
expect_stderr 'needs no other backup already'

# begin_migration MODE makes app.db and stops a migration of it when the first pages of its transaction are written.
begin_migration() {
  mkdir m
  printf -- '-- migrate:up\n%s\n-- migrate:down\nDROP TABLE filled;\n' \
    'CREATE TABLE filled AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT i FROM n;' \
    >m/0001_filled.sql
  sqlite3 -batch app.db "PRAGMA journal_mode = $1; CREATE TABLE t (a); INSERT INTO t VALUES (1)" >/dev/null
  nerve-db backup --db app.db --repo repo --quiet >/dev/null
  "$NERVE_DB_BIN" migrate up --db app.db --dir m --no-backup >log 2>&1 </dev/null &
  migration=$!
  for ((tries = 0; tries < 3000; tries++)); do
    [[ $(stat --format %s app.db app.db-wal 2>/dev/null | sort -n | tail -1) -gt 500000 ]] && break
    sleep 0.01
  done
  kill -STOP "$migration" || fail "the migration is over already"
}

end_migration() {
  kill -CONT "$migration"
  wait "$migration" || fail "the migration failed: $(cat log)"
}

claim "a backup beside a running migration holds the state before it, and nothing of it"
begin_migration wal
run nerve-db backup --db app.db --repo repo
expect_exit 0
end_migration
run nerve-db restore latest --repo repo --to before.db
expect_exit 0
expect_equal "the tables before" t "$(sqlite3 -batch before.db 'SELECT group_concat(name) FROM sqlite_schema')"
run nerve-db backup --db app.db --repo repo
run nerve-db restore latest --repo repo --to after.db
expect_equal "the rows after" 3000000 "$(sqlite3 -batch after.db 'SELECT count(*) FROM filled')"

claim "where a migration keeps readers out, in rollback mode, the backup says who has the file and leaves nothing"
begin_migration delete
refused 7 'database is locked' nerve-db backup --db app.db --repo repo
expect_stderr "^hint: These have the file open: nerve-db \(pid $migration\)"
end_migration
run nerve-db backup --db app.db --repo repo
expect_exit 0
run nerve-db restore latest --repo repo --to after.db
expect_equal "the rows after" 3000000 "$(sqlite3 -batch after.db 'SELECT count(*) FROM filled')"
