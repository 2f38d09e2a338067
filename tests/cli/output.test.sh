#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where output goes, how it looks, and what happens when it cannot be written.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

claim "--quiet leaves data and errors only"
make_database shop.db
run nerve-db backup --db shop.db --quiet
expect_exit 0
expect_equal "standard error" "" "$(cat "$test_root/err")"
expect_equal "the lines" 1 "$(stdout | wc -l)"
run nerve-db stats --db missing.db --quiet
expect_stderr '^nerve-db: error:'

claim "there are no colours in a pipe, and with --color always there are"
make_database shop.db
run nerve-db health --db shop.db
expect_nowhere $'\e['
run nerve-db health --db shop.db --color always
expect_stdout $'\e\\[32m'
run nerve-db health --db shop.db --color never
expect_nowhere $'\e['

claim "times are shown in local time, and with --utc in UTC"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
run env TZ=Asia/Kolkata "$NERVE_DB_BIN" backup list --repo repo
expect_stdout '[0-9]{2}:[0-9]{2}:[0-9]{2}\+05:30 '
run env TZ=Asia/Kolkata "$NERVE_DB_BIN" backup list --repo repo --utc
expect_stdout '[0-9]{2}:[0-9]{2}:[0-9]{2}Z '

claim "each JSON document is one that another program reads"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
: >log.json
for words in "health --db shop.db" "stats --db shop.db" "optimize --db shop.db" "backup list --repo repo" \
  "backup show $id --repo repo" "backup verify $id --deep --repo repo" "backup verify --all --repo repo" \
  "backup --db shop.db --repo repo" "restore $id --repo repo --to copy.db" "--version"; do
  # shellcheck disable=SC2086
  nerve-db $words --json >document.json 2>/dev/null
  run sqlite3 -batch :memory: "SELECT json_valid(CAST(readfile('document.json') AS TEXT))"
  expect_equal "json_valid of '$words'" 1 "$(stdout)"
done

claim "with --json nothing but JSON is written, one line each on standard error"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
cp -r "repo/$id" "repo/019aa5b0-0000-7000-8000-000000000000"
: >empty.db
for words in "backup --db shop.db --repo repo" "backup list --repo repo" "backup show $id --repo repo" \
  "backup verify --all --repo repo" "backup repair --repo repo" "restore $id --repo repo --db shop.db --yes" \
  "restore $id --repo repo --to copy.db" "backup --db empty.db" "optimize --db shop.db" "stats --db missing.db" \
  "restore $id --repo repo --db shop.db"; do
  # shellcheck disable=SC2086
  run nerve-db $words --json
  while IFS= read -r line; do
    printf '%s' "$line" >line.json
    expect_equal "json_valid of '$line'" 1 "$(sqlite3 -batch :memory: "SELECT json_valid(CAST(readfile('line.json') AS TEXT))")"
  done <"$test_root/err"
  if [[ -s $test_root/out ]]; then
    cp "$test_root/out" document.json
    expect_equal "json_valid of '$words'" 1 "$(sqlite3 -batch :memory: "SELECT json_valid(CAST(readfile('document.json') AS TEXT))")"
  fi
done
run nerve-db backup --db empty.db --json
expect_equal "the repository" "$work/empty.db.backups" "$(json "$test_root/out" '$.repository')"
expect_equal "the lines" 1 "$(wc -l <"$test_root/err")"
expect_equal "the warning" "$work/empty.db holds no rows, so the backup holds none" \
  "$(json "$test_root/err" '$.warning.message')"

claim "a name in a database cannot drive the terminal"
sqlite3 -batch shop.db "CREATE TABLE \"$(printf 'a\033[2Jb')\"(x); INSERT INTO \"$(printf 'a\033[2Jb')\" VALUES (1)"
run nerve-db stats --db shop.db
expect_exit 0
expect_stdout '^a\\x1b\[2Jb '
expect_nowhere $'\e'

claim "paths with special characters are taken as they are"
name=$'odd ?#% name\'s.db'
make_database "$name"
run nerve-db backup --db "$name" --repo "re po"
expect_exit 0
run nerve-db restore latest --repo "re po" --to "co?py #1.db"
expect_exit 0
expect_equal "the content" "$(content "$name")" "$(sqlite3 -batch 'co?py #1.db' .sha3sum)"

claim "a reader that goes away is no error"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
run bash -c 'set -o pipefail; "$0" backup show latest --repo repo | true' "$NERVE_DB_BIN"
expect_exit 0
expect_nowhere 'error'

claim "standard output on a full device is an error"
if [[ -c /dev/full ]]; then
  make_database shop.db
  run bash -c '"$0" stats --db shop.db >/dev/full' "$NERVE_DB_BIN"
  expect_exit 7
  expect_stderr '^nerve-db: error: cannot write the output: no space'
else
  skip "needs /dev/full"
fi

# run_signalled SIGNAL PATH COMMAND... sends the signal as soon as the command has made PATH. The command stays in the
# foreground: the shell lets what runs in the background ignore SIGINT.
run_signalled() {
  local signal=$1 path=$2
  shift 2
  rm -f pid
  {
    until [[ -s pid && -e $path ]]; do sleep 0.005; done
    kill -s "$signal" "$(<pid)"
  } 2>/dev/null &
  run bash -c 'echo $$ >pid.new && mv pid.new pid && exec "$@"' bash "$@"
  kill $! 2>/dev/null
  wait $!
}

for signal in INT TERM HUP; do
  claim "SIG$signal ends a backup with 130, without a trace"
  make_database shop.db 400000
  before=$(snapshot)
  run_signalled $signal repo "$NERVE_DB_BIN" backup --db shop.db --repo repo --deep
  if [[ $code -eq 0 ]]; then
    skip "the backup was faster than the signal"
  else
    expect_exit 130
    expect_stderr '^nerve-db: error: .*interrupted'
    expect_equal "the backups" "" "$(find . -name manifest.json -o -name '.partial-*')"
    expect_equal "the database" "$(grep -F './shop.db ' <<<"$before")" "$(snapshot | grep -F './shop.db ')"
  fi
done

claim "what the command makes is for its user only"
make_database shop.db
umask 000
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
umask 077
run find repo -perm /077
expect_no_stdout
