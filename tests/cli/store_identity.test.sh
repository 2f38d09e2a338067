#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A database that is not the store which nerve.toml has in its place is neither backed up nor replaced, and no backup of
# it is restored there.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# make_workspace DIR makes one whose secure store is encrypted in its backups.
make_workspace() {
  nerve-db init "$1" --quiet >/dev/null
  (umask 077 && openssl rand -hex 32 >"$1/secure.key")
  sed -i 's/^\[backup\]$/[backup]\nsecure_key_file = "secure.key"/' "$1/nerve.toml"
}

swap_stores() {
  mv "$1/nerve.db" "$1/other" && mv "$1/nerve-secure.db" "$1/nerve.db" && mv "$1/other" "$1/nerve-secure.db"
}

# What a refusal leaves as it is: the stores, and the backups there are.
kept() { sha256sum "$1"/nerve.db "$1"/nerve-secure.db; ls "$1/backups"; }

# kept_out CODE MESSAGE DIR COMMAND... expects a refusal that changes neither store and stores nothing.
kept_out() {
  local expected=$1 message=$2 folder=$3 before
  shift 3
  before=$(kept "$folder")
  run "$@" --workspace "$folder"
  expect_exit "$expected"
  expect_stderr "^nerve-db: error: .*$message"
  expect_hint
  expect_no_stdout
  expect_equal "what was there" "$before" "$(kept "$folder")"
}

# field_of ID STORE NAME: of a check in the last output.
field_of() {
  sqlite3 -batch :memory: "SELECT json_extract(value, '\$.$3') FROM
    json_each(CAST(readfile('$test_root/out') AS TEXT), '\$.checks') WHERE json_extract(value, '\$.id') = '$1'
    AND json_extract(value, '\$.store') = '$2'"
}

claim "stores that were swapped are not backed up, nor restored over, by whichever command"
make_workspace space
nerve-db backup --workspace space --quiet >/dev/null
swap_stores space
for command in 'backup' 'backup --db space/nerve.db' 'backup --db space/nerve-secure.db' 'backup --full --no-check' \
  'restore latest --yes' 'restore latest --dry-run' 'restore latest --db space/nerve.db --yes' 'optimize' 'optimize --apply' \
  'status' 'backup schedule --every 1h --units .'; do
  # shellcheck disable=SC2086  # words
  kept_out 6 'is the (core|secure) store, and stands in the place of the (core|secure) store$' space nerve-db $command
done

claim "health makes swapped stores critical, and the remedy is no backup"
make_workspace space
nerve-db backup --workspace space --quiet >/dev/null
swap_stores space
run nerve-db health --workspace space --json
expect_exit 2
for store in core secure; do
  expect_equal "the status" critical "$(field_of store.identity $store status)"
  expect_equal "the remedy" 1 "$(field_of store.identity $store fix | grep -c '^Put the databases back in their places')"
done
expect_nowhere 'nerve-db backup --workspace'
swap_stores space
run nerve-db health --workspace space --json
expect_equal "the status" ok "$(field_of store.identity core status)"

claim "a store of another workspace is not backed up, and a backup of it is not restored here"
make_workspace one
make_workspace two
nerve-db backup --workspace one --quiet >/dev/null
cp two/nerve.db one/nerve.db
kept_out 6 'nerve\.db belongs to another workspace$' one nerve-db backup
run nerve-db health --workspace one --json
expect_equal "the status" critical "$(field_of store.identity core status)"
expect_equal "the other" ok "$(field_of store.identity secure status)"
sed -i "s/^id = .*/id = \"$(sed -n 's/^id = "\(.*\)"/\1/p' two/nerve.toml)\"/" one/nerve.toml
rm one/nerve.db one/nerve-secure.db
run nerve-db restore latest --workspace one --yes
expect_exit 6
expect_stderr 'what the backup holds belongs to another workspace$'
[[ ! -e one/nerve.db && ! -e one/nerve-secure.db ]] || fail "a store of another workspace was restored"
run nerve-db backup drill --workspace one --scratch drill
expect_exit 6
expect_stderr 'belongs to another workspace'

claim "a database that is no store is not taken for one, and a damaged store is kept all the same"
make_workspace space
make_database space/nerve.db.new 10
mv space/nerve-secure.db secure.before
cp space/nerve.db.new space/nerve-secure.db
kept_out 3 'nerve-secure\.db is not the secure store of a workspace$' space nerve-db backup
mv secure.before space/nerve-secure.db
printf 'no SQLite at all' | dd of=space/nerve.db conv=notrunc status=none
run nerve-db backup --workspace space
expect_exit 6
expect_stderr '^backed up .*nerve-secure\.db'

claim "the backup before a migration of the secure store is made under its key"
make_workspace space
sqlite3 -batch space/nerve-secure.db "ALTER TABLE outbox_messages DROP COLUMN for_tenant_id; DELETE FROM schema_migrations WHERE number = 5"
run nerve-db migrate up --workspace space
expect_exit 0
manifest=$(grep -l 'nerve-secure' space/backups/*/manifest.json)
expect_equal "whether it is encrypted" 1 "$(json "$manifest" '$.container.encrypted')"
