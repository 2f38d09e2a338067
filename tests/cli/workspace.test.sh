#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Flags beat the environment, which beats nerve.toml; and the workspace is found where it should be.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# make_workspace DIR [LINE...] makes a folder with a nerve.toml of these lines.
make_workspace() {
  local folder=$1
  shift
  mkdir -p "$folder"
  printf '%s\n' "$@" >"$folder/nerve.toml"
  chmod 600 "$folder/nerve.toml"
}

claim "the workspace's own nerve.db is the database where the settings name none"
make_workspace .
make_database nerve.db
run nerve-db stats
expect_exit 0
expect_stdout "^database +$work/nerve\.db$"

claim "the workspace is found from a folder inside it, and its paths begin at its nerve.toml"
make_workspace space '[database]' 'url = "shop.db"'
make_database space/shop.db
mkdir -p space/inner/most
cd space/inner/most || exit 1
run nerve-db stats
expect_exit 0
expect_stdout "^database +$work/space/shop\.db$"

claim "--workspace beats NERVE_WORKSPACE, which beats the working folder"
for name in flag variable here; do
  make_workspace $name
  make_database $name/nerve.db
done
cd here || exit 1
run nerve-db stats
expect_stdout '/here/nerve\.db$'
run env NERVE_WORKSPACE="$work/variable" "$NERVE_DB_BIN" stats
expect_stdout '/variable/nerve\.db$'
run env NERVE_WORKSPACE="$work/variable" "$NERVE_DB_BIN" stats --workspace "$work/flag"
expect_stdout '/flag/nerve\.db$'

claim "--db beats NERVE_DB, which beats the settings"
make_workspace . '[database]' 'url = "settings.db"'
for name in flag variable settings; do make_database $name.db; done
run nerve-db stats
expect_stdout '/settings\.db$'
run env NERVE_DB=variable.db "$NERVE_DB_BIN" stats
expect_stdout '/variable\.db$'
run env NERVE_DB=variable.db "$NERVE_DB_BIN" stats --db sqlite:flag.db
expect_stdout '/flag\.db$'

claim "--workspace beats NERVE_DB and NERVE_REPO: its own database and repository are meant"
make_workspace space '[database]' 'url = "shop.db"' '[backup]' 'repository = "vault"'
make_database space/shop.db
make_database other.db
run env NERVE_DB=other.db NERVE_REPO=elsewhere "$NERVE_DB_BIN" stats --workspace space
expect_stdout '/space/shop\.db$'
run env NERVE_DB=other.db NERVE_REPO=elsewhere "$NERVE_DB_BIN" backup --workspace space
expect_exit 0
expect_stderr '^repository: space/vault$'
expect_stderr 'backed up .*/space/shop\.db'
run env NERVE_DB=other.db NERVE_REPO=elsewhere "$NERVE_DB_BIN" health --workspace space
expect_stdout '/space/shop\.db'
run env NERVE_DB=other.db "$NERVE_DB_BIN" stats --workspace space --db sqlite:space/shop.db
expect_stdout '/space/shop\.db$'

claim "--repo beats NERVE_REPO, which beats the settings, which beat the folder beside the database"
make_database shop.db
run nerve-db backup --db shop.db
expect_stderr '^repository: .*/shop\.db\.backups$'
make_workspace . '[backup]' 'repository = "vault"'
run nerve-db backup --db shop.db
expect_stderr "^repository: .*vault$"
run env NERVE_REPO=variable "$NERVE_DB_BIN" backup --db shop.db
expect_stderr '^repository: variable$'
run env NERVE_REPO=variable "$NERVE_DB_BIN" backup --db shop.db --repo flag
expect_stderr '^repository: flag$'
expect_equal "the repositories" "flag shop.db.backups variable vault" \
  "$(find . -name nerve-repository.json -printf '%h\n' | sort | sed 's#^\./##' | tr '\n' ' ' | sed 's/ $//')"

claim "a workspace keeps its backups in its folder backups by default"
make_workspace .
make_database nerve.db
run nerve-db backup
expect_exit 0
expect_equal "the repository" yes "$([[ -f backups/nerve-repository.json ]] && echo yes)"
run nerve-db restore latest --yes
expect_exit 0

claim "health measures against the settings"
make_workspace . '[health]' 'free_disk_min_percent = 100'
make_database nerve.db
run nerve-db health
expect_exit 1
expect_stdout '^warning +sqlite\.free_disk '

claim "a broken nerve.toml that was only found stops nothing that needs nothing from it"
make_workspace . '[database' 'url = "other.db"'
make_database shop.db
for words in '--version' '--help' 'completions bash' 'backup --help'; do
  # shellcheck disable=SC2086
  run nerve-db $words
  expect_exit 0
  expect_equal "standard error of '$words'" "" "$(cat "$test_root/err")"
done
run nerve-db backup --db shop.db --repo repo --quiet
expect_exit 0
expect_stderr '^nerve-db: warning: the settings are left aside, and the defaults hold: .*nerve\.toml:1:[0-9]+: not well-formed'
for words in 'backup list' 'backup show latest' 'backup verify' 'restore latest --yes'; do
  # shellcheck disable=SC2086
  run nerve-db $words --db shop.db --repo repo
  expect_exit 0
done

claim "a broken nerve.toml stops whatever takes a place or a threshold from it, and any that was named"
make_workspace . '[database' 'url = "other.db"'
make_database shop.db
refused 2 'nerve\.toml:1:[0-9]+: not well-formed TOML' nerve-db backup --db shop.db
run nerve-db health --db shop.db
expect_exit 3
refused 2 'nerve\.toml:1:[0-9]+: not well-formed TOML' nerve-db backup --db shop.db --repo repo --workspace .

claim "a nerve.toml of another user in a parent folder is not followed"
if [[ $EUID -eq 0 ]]; then
  make_workspace . '[backup]' 'repository = "elsewhere"'
  chown 65534 nerve.toml
  mkdir -p inner/most
  make_database inner/most/shop.db
  cd inner/most || exit 1
  refused 5 "$work/nerve\.toml belongs to another user" nerve-db backup --db shop.db
  expect_stderr "^hint: .*--workspace $work\.$"
  run nerve-db backup --db shop.db --repo repo
  expect_exit 0
  expect_stderr '^nerve-db: warning: the settings are left aside.* belongs to another user$'
  expect_equal "what the settings of the other user made" "" "$(find "$work" -name elsewhere)"
else
  skip "needs root to give a file away"
fi

claim "a nerve.toml of another user is not followed unless it is named"
if [[ $EUID -eq 0 ]]; then
  make_workspace .
  make_database nerve.db
  chown 65534 nerve.toml
  refused 5 'nerve\.toml belongs to another user' nerve-db stats
  expect_stderr '^hint: .*--workspace'
  run nerve-db stats --workspace .
  expect_exit 0
else
  skip "needs root to give a file away"
fi
