#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What restore asks, shows and keeps.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# on_terminal ANSWER COMMAND... runs it on a terminal of its own and, when it asks, types the answer there.
on_terminal() {
  local answer=$1
  shift
  type_when_asked "$answer" | script --quiet --flush --return --command "$(printf '%q ' "$@")" /dev/null
}
type_when_asked() {
  local waited
  for ((waited = 0; waited < 200; waited++)); do
    if grep -qF '[y/N]' "$test_root/out"; then break; fi
    sleep 0.1
  done
  printf '%s\n' "$1"
  sleep 2  # the end of input would be an answer of its own
}
has_terminals() {
  command -v script >/dev/null && script --quiet --return --command true /dev/null </dev/null >/dev/null 2>&1
}

# A database with a backup, changed since.
prepare() {
  make_database shop.db
  nerve-db backup --db shop.db --repo repo --quiet >/dev/null
  backed_up=$(content shop.db)
  sqlite3 -batch shop.db 'DELETE FROM album'
  changed=$(content shop.db)
}

claim "--dry-run shows the plan and changes nothing"
prepare
before=$(snapshot)
run nerve-db restore latest --repo repo --db shop.db --dry-run
expect_exit 0
expect_stdout "^backup [0-9a-f]{8} of $work/shop\.db, made .* 2,050 rows\)$"
expect_stdout "^replaces $work/shop\.db \("
expect_stdout '^after a safety backup of what is there now$'
expect_equal "the folder" "$before" "$(snapshot)"
nerve-db restore latest --repo repo --db shop.db --dry-run --json 2>/dev/null >plan.json
expect_equal "done" 0 "$(json plan.json '$.done')"
expect_equal "replaces" 1 "$(json plan.json '$.plan.replaces')"

claim "where there is only what a restore has kept, error and health name it and how to go back to it"
make_database shop.db
make_database other.db 10
id=$(nerve-db backup --db other.db --repo repo --quiet)
nerve-db restore "$id" --db shop.db --repo repo --other-database --yes --quiet >/dev/null
printf 'no SQLite at all' | dd of=shop.db conv=notrunc status=none
refused 3 'there is no good backup of .*/shop\.db in .* but what a restore has kept of it' \
  nerve-db restore latest --db shop.db --repo repo --yes
remedy=$(sed -n 's/^hint: .*: \(nerve-db restore .*\)/\1/p' "$test_root/err")
run nerve-db health --db shop.db --repo repo
expect_exit 2
expect_stdout "${remedy%% --*} --db $work/shop\.db --repo $work/repo"
export -f nerve-db
run bash -c "$remedy --yes"
expect_exit 0
expect_equal "the rows" 2000 "$(sqlite3 -batch -readonly shop.db 'SELECT count(*) FROM album')"

claim "the damaged backup of another database keeps nobody from hearing that there is none of this one"
make_database shop.db
make_database new.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
sed -i 's/"format"/"f0rmat"/' repo/*/manifest.json
refused 3 'there is no good backup of .*/new\.db in ' nerve-db restore latest --db new.db --repo repo --yes
expect_stderr '^hint: .*--to FILE'
refused 6 'the newest backup may be ' nerve-db restore latest --db shop.db --repo repo --yes

claim "a restore keeps what was there as a safety backup, which can be restored in turn"
prepare
run nerve-db restore latest --repo repo --db shop.db --yes
expect_exit 0
expect_stderr "^replaces $work/shop\.db"
expect_equal "the content" "$backed_up" "$(content shop.db)"
safety=$(stdout | sed -n 's/^what was there before is backup //p')
run nerve-db backup list --repo repo
expect_stdout "^$safety .* safety +good "
run nerve-db restore "$safety" --repo repo --db shop.db --yes
expect_exit 0
expect_equal "the content" "$changed" "$(content shop.db)"

claim "restore into a new file asks nothing and leaves the database alone"
prepare
run nerve-db restore latest --repo repo --to copy.db
expect_exit 0
expect_equal "the new file" "$backed_up" "$(content copy.db)"
expect_equal "its mode" 600 "$(stat -c %a copy.db)"
expect_equal "the database" "$changed" "$(content shop.db)"

claim "restore in place of a file that is gone asks nothing"
prepare
rm shop.db
run nerve-db restore latest --repo repo --db shop.db
expect_exit 0
expect_equal "the content" "$backed_up" "$(content shop.db)"

claim "--db with --to says whose latest backup is meant"
make_database one.db
make_database two.db 7
for name in one two; do nerve-db backup --db $name.db --repo repo --quiet >/dev/null; done
run nerve-db restore latest --repo repo --to copy.db
expect_exit 4
run nerve-db restore latest --repo repo --db two.db --to copy.db
expect_exit 0
expect_equal "the content" "$(content two.db)" "$(content copy.db)"

# Two databases, and a backup of the second.
prepare_two() {
  make_database one.db
  make_database two.db 7
  id=$(nerve-db backup --db two.db --repo repo 2>/dev/null)
}

claim "a database is not replaced by the backup of another one, unless that is said"
prepare_two
refused 4 "one\.db would be replaced by backup ${id: -8} of another database, $work/two\.db$" \
  nerve-db restore "$id" --repo repo --db one.db --yes
expect_stderr "^hint: .*--other-database.* nerve-db backup list --repo $work/repo\.$"
refused 4 'another database' nerve-db restore "$id" --repo repo --db one.db --dry-run
run nerve-db restore "$id" --repo repo --db one.db --yes --other-database
expect_exit 0
expect_stderr '^note: the backup was made of another database, .*/two\.db$'
expect_equal "the content" "$(content two.db)" "$(content one.db)"

claim "where nothing stands, or nothing is in it, the backup of another database is restored with a note"
prepare_two
: >empty.db
for name in missing empty; do
  run nerve-db restore "$id" --repo repo --db $name.db --yes
  expect_exit 0
  expect_stderr '^note: the backup was made of another database, .*/two\.db$'
  expect_equal "the content" "$(content two.db)" "$(content $name.db)"
done

claim "a file that was missing is restored for its user only, and the output says so"
prepare
chmod 640 shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
rm shop.db
run nerve-db restore latest --repo repo --db shop.db
expect_exit 0
expect_equal "the mode" 600 "$(stat -c %a shop.db)"
expect_stderr "^note: the file is new: it has mode 0600 and belongs to user $EUID; the database had mode 0640 when"
run nerve-db restore latest --repo repo --db shop.db --to copy.db --json
expect_equal "the mode in JSON" 0600 "$(json "$test_root/out" '$.mode')"

claim "a file that was missing gets no right that its owner did not have"
prepare
chmod 400 shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
rm -f shop.db
run nerve-db restore latest --repo repo --db shop.db
expect_exit 0
expect_equal "the mode" 400 "$(stat -c %a shop.db)"

claim "the owner and the mode of a replaced file stay"
prepare
chmod 640 shop.db
nerve-db restore latest --repo repo --db shop.db --yes >/dev/null 2>&1
run stat -c %a shop.db
expect_stdout '^640$'

if has_terminals; then
  claim "yes on the terminal restores"
  prepare
  run on_terminal y "$NERVE_DB_BIN" restore latest --repo repo --db shop.db
  expect_exit 0
  expect_stdout "Replace $work/shop\.db\? \[y/N\]"
  expect_equal "the content" "$backed_up" "$(content shop.db)"

  claim "on the terminal the question names both databases, also with --yes"
  prepare_two
  before=$(content one.db)
  run on_terminal n "$NERVE_DB_BIN" restore "$id" --repo repo --db one.db --yes
  expect_exit 130
  expect_stdout "Replace $work/one\.db by the backup of another database, $work/two\.db\? \[y/N\]"
  expect_equal "the content" "$before" "$(content one.db)"
  run on_terminal y "$NERVE_DB_BIN" restore "$id" --repo repo --db one.db --yes
  expect_exit 0
  expect_equal "the content" "$(content two.db)" "$(content one.db)"

  claim "with --json nobody is asked, also on a terminal"
  prepare
  run on_terminal y "$NERVE_DB_BIN" restore latest --repo repo --db shop.db --json
  expect_exit 2
  expect_stdout 'with --json nobody is asked'

  claim "any other answer on the terminal keeps the database, with exit code 130"
  prepare
  before=$(snapshot)
  for answer in n '' yep; do
    run on_terminal "$answer" "$NERVE_DB_BIN" restore latest --repo repo --db shop.db
    expect_exit 130
    expect_stdout 'declined'
    expect_equal "the folder" "$before" "$(snapshot)"
  done

  claim "Ctrl-C at the question keeps the database, with exit code 130"
  prepare
  before=$(snapshot)
  run on_terminal $'\003' "$NERVE_DB_BIN" restore latest --repo repo --db shop.db
  expect_exit 130
  expect_stdout 'interrupted'
  expect_equal "the folder" "$before" "$(snapshot)"
else
  claim "questions on a terminal"
  skip "needs script(1) and a pseudo-terminal"
fi

claim "--unauthenticated goes with the id of a backup, and not with latest"
make_database shop.db
id=$(nerve-db backup --db shop.db --quiet)
for when in '' '--at 2999-01-01T00:00:00Z'; do
  # shellcheck disable=SC2086
  refused 2 '--unauthenticated is given with latest' nerve-db restore latest --db shop.db --to copy.db --unauthenticated $when
  expect_stderr '^hint: Give the id of the backup\.$'
done
run nerve-db restore "$id" --db shop.db --to copy.db --unauthenticated
expect_exit 0
