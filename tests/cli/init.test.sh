#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nerve-db init and status: what they make, what they refuse, and that an interrupted run is completed.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

claim "init makes a workspace that every other command finds, and prints its id"
run nerve-db init space
expect_exit 0
expect_stdout '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$'
id=$(stdout)
expect_stderr "^made the workspace in $work/space$"
expect_equal "what is in it" "700 backups,600 nerve-secure.db,600 nerve.db,600 nerve.toml," \
  "$(find space -mindepth 1 -printf '%m %f\n' | sort -k2 | tr '\n' ',')"
expect_equal "the mode of the folder" 700 "$(stat -c %a space)"
cd space || exit 1
run nerve-db status
expect_exit 0
expect_stdout "^id +$id$"
expect_stdout '^tenants +0$'
expect_stdout "^core +sqlite .* [a-z_]+@[0-9]+ +0 +none +$work/space/nerve\.db$"
expect_stdout "^secure +sqlite .* [a-z_]+@[0-9]+ +0 +none +$work/space/nerve-secure\.db$"
nerve-db backup --quiet >/dev/null
nerve-db backup verify --all --quiet >/dev/null
run nerve-db health
expect_exit 0
expect_stdout '^ok +cross_store\.references '
expect_stdout '^ok +jobs\.runs '

claim "status knows the last backup of each store"
nerve-db init --quiet >/dev/null
nerve-db backup --quiet >/dev/null
nerve-db status --json >status.json
expect_equal "the core store's backup" text "$(sqlite3 -batch :memory: \
  "SELECT json_type(CAST(readfile('status.json') AS TEXT), '$.stores[0].last_backup_at')")"
expect_equal "the secure store's backup" text "$(sqlite3 -batch :memory: \
  "SELECT json_type(CAST(readfile('status.json') AS TEXT), '$.stores[1].last_backup_at')")"

claim "init overwrites nothing"
nerve-db init space --quiet >/dev/null
refused 4 'space is a workspace already' nerve-db init space
mkdir other
echo precious >other/nerve.db
chmod 700 other
refused 4 'other/nerve\.db is there already' nerve-db init other

claim "wrong names of stores are refused before anything is made"
refused 2 'only one of the two stores is named' nerve-db init space --core a.db
refused 2 'both stores are the same database' nerve-db init space --core a.db --secure ./a.db
refused 2 'password' nerve-db init space --core postgresql://u:secret@h/a --secure postgresql://h/b
expect_nowhere secret

claim "a folder that others may look into is named with its remedy"
mkdir -m 0755 open
run nerve-db init open
expect_exit 0
expect_stderr "warning: others may look into the folder; run: chmod 700 $work/open"

claim "init that is killed at any moment is completed by the same command"
for delay in 0.002 0.005 0.008 0.011 0.014 0.017 0.020 0.025 0.030 0.040 0.060; do
  timeout -s KILL $delay "$NERVE_DB_BIN" init space --quiet >/dev/null 2>&1
  [[ -f space/nerve.toml ]] && break
done
[[ -f space/nerve.toml ]] || nerve-db init space --quiet >/dev/null || fail "the last run failed"
run nerve-db status --workspace space
expect_exit 0
run nerve-db tenant create Acme --workspace space
expect_exit 0
expect_equal "unfinished settings" '' "$(find space -name '*.part')"
for store in nerve nerve-secure; do
  expect_equal "the integrity of $store.db" ok "$(sqlite3 -batch "space/$store.db" 'PRAGMA integrity_check')"
done

claim "swapped, foreign and missing stores are refused by name, and nothing is changed"
nerve-db init ours --quiet >/dev/null
nerve-db init theirs --quiet >/dev/null
mkdir kept
cp ours/*.db kept
mv ours/nerve.db ours/x && mv ours/nerve-secure.db ours/nerve.db && mv ours/x ours/nerve-secure.db
run nerve-db tenant list --workspace ours
expect_exit 6
expect_stderr 'ours/nerve\.db is the secure store, and stands in the place of the core store'
expect_hint
cp kept/*.db ours
cp theirs/nerve.db ours/nerve.db
run nerve-db tenant list --workspace ours
expect_exit 6
expect_stderr 'ours/nerve\.db belongs to another workspace'
rm ours/nerve.db
run nerve-db tenant list --workspace ours
expect_exit 3
expect_hint
[[ ! -e ours/nerve.db ]] || fail "a missing store was made anew"

claim "commands of a workspace say so where there is none"
refused 3 'there is no workspace here' nerve-db tenant list
refused 3 'there is no workspace here' nerve-db status

claim "both stores are backed up as one set, the secure one under its own key, and restored together"
nerve-db init . --quiet
(umask 077 && openssl rand -hex 32 >secure.key)
sed -i 's/^\[backup\]$/[backup]\nsecure_key_file = "secure.key"/' nerve.toml
run nerve-db backup
expect_exit 0
expect_equal "the number of ids" 2 "$(stdout | wc -l)"
expect_stderr "^backed up $work/nerve\.db: .* as a full of"
expect_stderr "^backed up $work/nerve-secure\.db: .* as an encrypted full of"
run nerve-db backup verify --all
expect_exit 0
run nerve-db tenant create 'Acme Works' --slug acme
expect_exit 0
sqlite3 -batch nerve-secure.db 'CREATE TABLE stray(a)'
run nerve-db restore latest --yes
expect_exit 0
expect_stdout "^restored $work/nerve\.db from backup"
expect_stdout "^restored $work/nerve-secure\.db from backup"
expect_equal "the tenants" 0 "$(sqlite3 -batch nerve.db "SELECT count(*) FROM tenants WHERE slug = 'acme'")"
expect_equal "the stray table" 0 "$(sqlite3 -batch nerve-secure.db "SELECT count(*) FROM sqlite_schema WHERE name = 'stray'")"

claim "without a key of its own the backup of the secure store is made with a warning"
nerve-db init . --quiet
run nerve-db backup --json
expect_exit 0
expect_stderr 'the backup of the secure store is not encrypted: name a key in nerve\.toml'
nerve-db backup --json --quiet 2>/dev/null >set.json
expect_equal "the roles" '["core","secure"]' "$(json set.json '$.backups[1].set.roles')"
run nerve-db restore latest --yes --json
expect_exit 0
rm nerve-secure.db*
run nerve-db backup --quiet
expect_exit 0
expect_stderr 'warning: the secure store .* is missing, so the core store is backed up alone'

claim "one passphrase in the environment serves both stores, and half a set is not restored"
nerve-db init . --quiet
export NERVE_PASSPHRASE='correct horse battery staple'
run nerve-db backup --encrypt --quiet
expect_exit 0
core=$(head -1 <<<"$(stdout)")
secure=$(tail -1 <<<"$(stdout)")
run nerve-db restore latest --yes
expect_exit 0
expect_stdout "^restored $work/nerve-secure\.db from backup ${secure: -8}$"
unset NERVE_PASSPHRASE
rm -r "backups/$secure"
nerve-db backup repair --quiet >/dev/null
run nerve-db restore "$core" --yes
expect_exit 4
expect_stderr 'the backup of the other store that belongs to .* is gone or damaged'
expect_hint

claim "settings that cannot be read keep nobody from pruning a repository that is named"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
echo '[backup' >nerve.toml
run nerve-db backup prune --db shop.db --repo repo --keep-last 1 --yes
expect_exit 0
run nerve-db backup prune --repo repo --keep-last 1 --yes
expect_exit 0

claim "a file in the place of the folder is no question of rights"
echo text >file
for place in file file/space; do refused 4 'cannot make the folder .*: a file has that name' nerve-db init $place; done
