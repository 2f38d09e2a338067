#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What surrounds a backup: the programs before and after it, the metrics, and its turn among others.
# shellcheck disable=SC2016  # The hooks expand what is in quotes.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# hook FILE LINE... writes a program of the shell.
hook() {
  local file=$1
  shift
  printf '%s\n' '#!/bin/sh' "$@" >"$file"
  chmod +x "$file"
}

claim "the programs before and after a backup are told what they are for, and never the passphrase"
make_database shop.db
hook before.sh 'env >before.env'
hook after.sh 'env >after.env; cat >after.json'
run env NERVE_PASSPHRASE='correct horse' NERVE_BACKUP_ID=stale "$NERVE_DB_BIN" backup --db shop.db --repo repo --encrypt \
  --before ./before.sh --after ./after.sh
expect_exit 0
id=$(stdout)
run grep ^NERVE_ before.env
expect_stdout "^NERVE_BACKUP_DATABASE=$PWD/shop.db$"
expect_stdout "^NERVE_BACKUP_REPOSITORY=$PWD/repo$"
run grep ^NERVE_ after.env
expect_stdout '^NERVE_BACKUP_RESULT=ok$'
expect_stdout '^NERVE_BACKUP_EXIT=0$'
expect_stdout "^NERVE_BACKUP_ID=$id$"
expect_equal "the variables" 5 "$(stdout | grep -c ^NERVE_BACKUP_)"
if grep -q 'correct horse\|NERVE_PASSPHRASE' before.env after.env after.json; then fail "a program was given the passphrase"; fi
expect_equal "the result" ok "$(json after.json '$.result')"
expect_equal "the backup" "$id" "$(json after.json '$.manifest.id')"
# NERVE_PASSPHRASE that is not read is not handed on either.
run env NERVE_PASSPHRASE='correct horse' "$NERVE_DB_BIN" backup --db shop.db --repo other --before ./before.sh
if grep -q 'correct horse' before.env; then fail "a program was given the passphrase"; fi

claim "a program before the backup that fails stops it, and the one after it is told"
make_database shop.db
hook before.sh 'echo from stdout' 'echo first >&2' 'printf "the disk is\033[31m full\n\n" >&2' 'exit 7'
hook after.sh 'cat >after.json; echo "$NERVE_BACKUP_RESULT $NERVE_BACKUP_EXIT [$NERVE_BACKUP_ID]" >after.txt'
run nerve-db backup --db shop.db --before ./before.sh --after ./after.sh
expect_exit 1
expect_stderr '^nerve-db: error: no backup was made: the program before it, ./before.sh, ended with exit status 7: the disk is\\x1b\[31m full$'
expect_stderr '^from stdout$'
expect_stderr '^first$'
expect_no_stdout
expect_equal "what the other was told" 'failed 1 []' "$(cat after.txt)"
expect_equal "the kind" failure "$(json after.json '$.error.kind')"
[[ ! -e shop.db.backups ]] || fail "a repository was made"
run nerve-db backup --db shop.db --before ./before.sh --json
expect_exit 1
expect_equal "lines that are no JSON" 0 "$(grep -vc '^{' "$test_root/err")"

claim "the program after a backup hears of a failure, and its own is exit code 10 where the backup is good"
make_database shop.db
hook after.sh 'echo "$NERVE_BACKUP_RESULT $NERVE_BACKUP_EXIT" >after.txt; echo no mail >&2; exit 5'
run nerve-db backup --db shop.db --after ./after.sh
expect_exit 10
expect_stderr '^nerve-db: warning: the program after the backup, ./after.sh, ended with exit status 5: no mail$'
expect_stdout '^[0-9a-f-]{36}$'
expect_equal "what it was told" 'ok 0' "$(cat after.txt)"
damage shop.db album
run nerve-db backup --db shop.db --after ./after.sh
expect_exit 6
expect_equal "what it was told" 'failed 6' "$(cat after.txt)"
make_database emptied.db
nerve-db backup --db emptied.db --quiet >/dev/null
sqlite3 -batch emptied.db 'DELETE FROM album; DELETE FROM artist'
hook after.sh 'cat >after.json'
run nerve-db backup --db emptied.db --after ./after.sh
expect_exit 10
expect_equal "the result" failed "$(json after.json '$.result')"
expect_equal "the backup" "$(stdout)" "$(json after.json '$.manifest.id')"

claim "programs that are missing, not executable, no program, hang or die are told apart"
make_database shop.db
hook dies.sh 'kill -9 $$'
hook hangs.sh 'trap "" TERM' 'echo waiting >&2' 'sleep 60 & wait' 'sleep 60'
echo 'no program' >text
cp text script
chmod +x script
refused 3 'the program ./nope cannot be started: No such file' nerve-db backup --db shop.db --before ./nope
refused 3 'the program nope-nope cannot be started: No such file' nerve-db backup --db shop.db --before nope-nope
refused 5 'the program ./text cannot be started: Permission denied' nerve-db backup --db shop.db --before ./text
refused 1 'the program ./script cannot be started: Exec format error' nerve-db backup --db shop.db --before ./script
refused 1 'was ended by signal 9' nerve-db backup --db shop.db --before ./dies.sh
mkdir ws
printf '[backup]\nhook_timeout_s = 1\n' >ws/nerve.toml
begin=$SECONDS
refused 1 'did not end within 1.0 s: waiting' nerve-db backup --db shop.db --workspace ws --repo repo --before ./hangs.sh
[[ $((SECONDS - begin)) -lt 20 ]] || fail "the program was not stopped"
run nerve-db backup --db shop.db --repo repo --after ./nope
expect_exit 10
expect_stderr 'warning: the program after the backup, the program ./nope cannot be started'

claim "a program that floods standard error is stopped in time, also where nobody reads ours"
make_database shop.db
mkdir ws
printf '[backup]\nhook_timeout_s = 1\n' >ws/nerve.toml
hook floods.sh 'echo $$ >pid' 'exec yes >&2'
run bash -c '{ "$NERVE_DB_BIN" backup --db shop.db --workspace ws --repo repo --before ./floods.sh 2>&1 >/dev/null; echo $? >exit; } |
  { sleep 3; if kill -0 "$(cat pid)"; then echo still there; fi; tail -n 2 >&2; }'
expect_no_stdout
expect_equal "the exit code" 1 "$(cat exit)"
expect_stderr 'did not end within 1.0 s: y$'

claim "SIGTERM for nerve-db is passed on to the program, and no backup is made"
make_database shop.db
hook before.sh 'trap "echo stopped >stopped; exit 1" TERM' 'echo >ready' 'while :; do sleep 0.1; done'
hook after.sh 'echo "$NERVE_BACKUP_RESULT" >after.txt'
"$NERVE_DB_BIN" backup --db shop.db --before ./before.sh --after ./after.sh >out 2>err &
waited=$!
for _ in {1..100}; do [[ -e ready ]] || sleep 0.05; done
kill -TERM "$waited"
code=0
wait "$waited" || code=$?
last_command="kill -TERM"
cp out "$test_root/out"
cp err "$test_root/err"
expect_exit 130
expect_stderr 'the program before it, ./before.sh, was interrupted'
[[ -e stopped ]] || fail "the program was not told"
expect_equal "what the other was told" failed "$(cat after.txt)"

claim "a large document reaches a program that reads late, and one that reads nothing is not waited for"
sqlite3 -batch wide.db "$(for i in $(seq 1500); do echo "CREATE TABLE a_table_with_a_rather_long_name_that_fills_the_pipe_$i(a);"; done)
  INSERT INTO a_table_with_a_rather_long_name_that_fills_the_pipe_1 VALUES(1)"
hook after.sh 'sleep 0.3; cat >after.json'
run nerve-db backup --db wide.db --after ./after.sh
expect_exit 0
[[ $(stat -c %s after.json) -gt 100000 ]] || fail "the document is too small for this test"
expect_equal "the tables" 1500 "$(sqlite3 -batch :memory: "SELECT json_array_length(CAST(readfile('after.json') AS TEXT), '$.manifest.tables')")"
run nerve-db backup --db wide.db --after /bin/true
expect_exit 0

# sample FILE METRIC LABELS shows the value.
sample() { sed -n "s|^nerve_backup_$2{$3} ||p" "$1"; }

claim "metrics are written after success and failure, and those of the last success survive"
make_database shop.db
run nerve-db backup --db shop.db --metrics m.prom
expect_exit 0
expect_equal "the mode" 644 "$(stat -c %a m.prom)"
us="database=\"$PWD/shop.db\""
expect_equal "last_run_ok" 1 "$(sample m.prom last_run_ok "$us")"
expect_equal "rows" 2050 "$(sample m.prom rows "$us")"
expect_equal "database_bytes" "$(stat -c %s shop.db)" "$(sample m.prom database_bytes "$us")"
expect_equal "stored_bytes" "$(stat -c %s shop.db.backups/*/pages.zst)" "$(sample m.prom stored_bytes "$us")"
expect_equal "fulls" 1 "$(sample m.prom backups "$us,form=\"full\"")"
expect_equal "next_promised" "" "$(sample m.prom next_promised_timestamp_seconds "$us")"
success=$(sample m.prom last_success_timestamp_seconds "$us")
expect_equal "the age of the success" 1 "$(($(date +%s) - ${success%.*} < 60))"
if command -v promtool >/dev/null; then
  run promtool check metrics <m.prom
  expect_exit 0
else
  skip "needs promtool"
fi
sleep 0.1
cp shop.db good.db
damage shop.db album
run nerve-db backup --db shop.db --metrics m.prom
expect_exit 6
expect_equal "last_run_ok" 0 "$(sample m.prom last_run_ok "$us")"
expect_equal "last_run_exit_code" 6 "$(sample m.prom last_run_exit_code "$us")"
expect_equal "last_success" "$success" "$(sample m.prom last_success_timestamp_seconds "$us")"
expect_equal "rows" 2050 "$(sample m.prom rows "$us")"
[[ $(sample m.prom last_run_timestamp_seconds "$us") > $success ]] || fail "the time of the last run is an older one"
cp good.db shop.db
nerve-db backup schedule --db shop.db --every 1h --units . --quiet >/dev/null
nerve-db backup --db shop.db --metrics m.prom --quiet >/dev/null
success=$(sample m.prom last_success_timestamp_seconds "$us")
next=$(sample m.prom next_promised_timestamp_seconds "$us")
expect_equal "the interval" 3600 "$((${next%.*} - ${success%.*}))"

claim "databases share a file of metrics without losing samples, also at once"
for name in 1 'tw"o' 3 4; do
  make_database "$name.db" 10
  nerve-db backup --db "$name.db" --metrics m.prom --quiet >/dev/null 2>&1 &
done
wait
expect_equal "the databases" 4 "$(grep -c '^nerve_backup_last_run_ok{.*} 1$' m.prom)"
expect_equal "the headings" 1 "$(grep -c '^# TYPE nerve_backup_last_run_ok ' m.prom)"
expect_equal "the escaped label" 1 "$(grep -cF "nerve_backup_last_run_ok{database=\"$PWD/tw\\\"o.db\"} 1" m.prom)"

claim "a file of other metrics is left alone, and metrics that cannot be written are exit code 10 of a good backup"
make_database shop.db
printf '# HELP up\nup 1\n' >other.prom
run nerve-db backup --db shop.db --metrics other.prom
expect_exit 10
expect_stderr 'warning: the metrics are not written: .*other.prom holds other metrics'
expect_equal "the file" "$(printf '# HELP up\nup 1\n')" "$(cat other.prom)"
run nerve-db backup --db shop.db --metrics nowhere/m.prom
expect_exit 10
expect_stdout '^[0-9a-f-]{36}$'
run nerve-db backup --db missing.db --metrics nowhere/m.prom
expect_exit 3

claim "prune waits for its turn only with --wait"
make_database shop.db
for _ in 1 2 3; do nerve-db backup --db shop.db --repo repo --quiet >/dev/null; done
flock --shared repo/nerve-repository.json sleep 2 &
sleep 0.3
refused 4 'another process works in the backup repository' nerve-db backup prune --repo repo --keep-last 1 --yes
run nerve-db backup prune --repo repo --keep-last 1 --yes --wait 30s
expect_exit 0
wait
