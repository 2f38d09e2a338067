#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Both stores of a workspace are backed up and restored together: what becomes of one when the other is damaged, and of
# both when somebody else works in the repository.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# make_workspace makes one whose stores hold a table `kept` of several pages, all in their main files.
make_workspace() {
  local store
  nerve-db init . --quiet >/dev/null
  for store in nerve nerve-secure; do
    sqlite3 -batch $store.db "PRAGMA journal_mode = DELETE; CREATE TABLE kept(a);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
      INSERT INTO kept SELECT 'row ' || i || ' of $store' FROM n" >/dev/null
  done
}

overwrite_header() { printf 'no SQLite at all' | dd of="$1" conv=notrunc status=none; }
overwrite_page() { damage "$1" kept; }

# states_of REPOSITORY shows file and state of each backup, sorted.
states_of() {
  local manifest
  for manifest in "$1"/*/manifest.json; do
    echo "$(basename "$(json "$manifest" '$.source.path')") $(json "$manifest" '$.state')"
  done | sort | paste -sd ,
}

for victim in nerve.db nerve-secure.db; do
  if [[ $victim == nerve.db ]]; then sound=nerve-secure.db; else sound=nerve.db; fi
  for part in header page; do
    claim "a damaged $part of $victim does not keep the other store from being stored and copied"
    make_workspace
    overwrite_$part $victim
    run nerve-db backup --also away
    expect_exit 6
    expect_stderr "^nerve-db: error: .*; what there is was kept as backup [0-9a-f]{8}, which counts as damaged$"
    expect_stderr "^backed up $work/$sound: "
    expect_stderr "^copied 1 backup, .*, to $work/away$"
    expect_hint
    expect_equal "the number of ids" 1 "$(stdout | wc -l)"
    expect_equal "what is stored" "$(printf '%s\n' "$sound good" "$victim damaged" | sort | paste -sd ,)" "$(states_of backups)"
    expect_equal "what is copied" "$sound good" "$(states_of away)"
    run nerve-db restore "$(stdout)" --repo away --to restored.db
    expect_exit 0
    expect_equal "the content" "$(content $sound)" "$(content restored.db)"
  done
done

claim "a key that is not that of the secure store does not keep the core store from being stored"
make_workspace
(umask 077 && openssl rand -hex 32 >secure.key)
sed -i 's/^\[backup\]$/[backup]\nsecure_key_file = "secure.key"/' nerve.toml
nerve-db backup --quiet >/dev/null
(umask 077 && openssl rand -hex 32 >secure.key)
run nerve-db backup
expect_exit 5
expect_stderr 'error: the key opens none of the encrypted backups of .*/nerve-secure\.db'
expect_equal "what is stored" 'nerve-secure.db good,nerve.db good,nerve.db good' "$(states_of backups)"

claim "where both stores are damaged, both are told and kept"
make_workspace
overwrite_header nerve.db
overwrite_page nerve-secure.db
run nerve-db backup --json
expect_exit 6
expect_no_stdout
expect_stderr '^\{"warning":.*nerve-secure\.db'
expect_stderr '^\{"error":.*nerve\.db is not an SQLite database'
expect_equal "what is stored" 'nerve-secure.db damaged,nerve.db damaged' "$(states_of backups)"

claim "a prune between the question and the restore takes nothing of the set"
make_workspace
id=$(nerve-db backup --quiet 2>/dev/null | head -1)
for store in nerve nerve-secure; do cp $store.db $store.before; done
for store in nerve nerve-secure; do sqlite3 -batch $store.db 'DELETE FROM kept'; done
nerve-db backup --full --quiet >/dev/null 2>&1
# shellcheck disable=SC2016  # The shell of on_terminal.py expands it.
run on_terminal --first '"$NERVE_DB_BIN" backup prune --keep-last 1 --yes >/dev/null 2>prune.txt; echo $? >prune.code' \
  "Replace $work/nerve.db? [y/N] " y "Replace $work/nerve-secure.db? [y/N] " y -- "$NERVE_DB_BIN" restore "$id"
expect_exit 0
expect_equal "the exit code of prune" 4 "$(cat prune.code)"
run grep 'another process works in the backup repository' prune.txt
expect_exit 0
for store in nerve nerve-secure; do
  expect_equal "the content of $store.db" "$(content $store.before)" "$(content $store.db)"
done

# newest ROLE shows the id of the newest backup of that store.
newest() {
  local manifest
  for manifest in backups/*/manifest.json; do
    [[ $(json "$manifest" '$.set.role') != "$1" ]] || echo "$(json "$manifest" '$.sequence') $(json "$manifest" '$.id')"
  done | sort -n | tail -1 | cut -d ' ' -f 2
}

# rows shows how many rows `kept` has in both stores.
rows() { for store in nerve nerve-secure; do sqlite3 -batch $store.db 'SELECT count(*) FROM kept'; done | paste -sd ,; }

for loss in gone damaged; do
  claim "latest is the newest whole set where the newest backup of one store is $loss, and the plan says so"
  make_workspace
  nerve-db backup --quiet >/dev/null 2>&1
  for store in nerve nerve-secure; do sqlite3 -batch $store.db 'DELETE FROM kept WHERE rowid > 10'; done
  nerve-db backup --full --quiet >/dev/null 2>&1
  core=$(newest core)
  secure=$(newest secure)
  if [[ $loss == gone ]]; then rm -r "backups/$secure"; else echo '{}' >"backups/$secure/manifest.json"; fi
  run nerve-db restore latest --dry-run
  expect_exit 0
  expect_stdout "^note: the newer backup ${core: -8} is passed over: another backup of its set is gone, damaged or without rows$"
  expect_stdout "^note: the newer backup $secure is passed over: "
  run nerve-db restore latest --yes --json
  expect_exit 0
  expect_equal "the rows" 2000,2000 "$(rows)"
  expect_equal "the notes of the plan" 2 "$(json "$test_root/out" '$.restores[0].plan.notes' | grep -o 'is passed over' | wc -l)"
done

claim "a backup of one store alone is not the latest of the workspace, and of that store it is"
make_workspace
nerve-db backup --quiet >/dev/null 2>&1
sqlite3 -batch nerve.db 'DELETE FROM kept WHERE rowid > 10'
run nerve-db backup --db nerve.db --repo backups --quiet
expect_exit 0
alone=$(stdout)
run nerve-db restore latest --yes
expect_exit 0
expect_stderr "^note: the newer backup ${alone: -8} is passed over: it was made of $work/nerve\.db alone$"
expect_equal "the rows" 2000,2000 "$(rows)"
run nerve-db restore latest --db nerve.db --repo backups --yes
expect_exit 0
expect_equal "the rows" 10,2000 "$(rows)"

claim "of a workspace that was copied the error names the sets of where it was, and how to restore them"
nerve-db init first --quiet >/dev/null
nerve-db backup --workspace first --quiet >/dev/null 2>&1
cp -a first second
run nerve-db restore latest --workspace second --yes
expect_exit 3
expect_stderr 'there is no whole set of backups of both stores'
remedy=$(sed -n "s/^hint: .*'\\(nerve-db restore [^']*\\)'.*/\\1/p" "$test_root/err")
export -f nerve-db
run bash -c "$remedy --workspace second --yes"
expect_exit 0
run nerve-db status --workspace second
expect_exit 0

claim "where there is no whole set, latest of a workspace is refused, and one store can be named"
make_workspace
nerve-db backup --quiet >/dev/null 2>&1
rm -r "backups/$(newest secure)"
refused 3 'there is no whole set of backups of both stores' nerve-db restore latest --yes
run nerve-db restore "$(newest core)" --db nerve.db --repo backups --yes
expect_exit 0

claim "latest --at of a workspace is the newest whole set by then"
make_workspace
nerve-db backup --quiet >/dev/null 2>&1
time=$(json "backups/$(newest secure)/manifest.json" '$.created_at')
for store in nerve nerve-secure; do sqlite3 -batch $store.db 'DELETE FROM kept WHERE rowid > 10'; done
nerve-db backup --quiet >/dev/null 2>&1
run nerve-db restore latest --at "$time" --yes
expect_exit 0
expect_equal "the rows" 2000,2000 "$(rows)"

claim "a restore of both stores removes what a dead one left in the repository, and a dry run does not"
make_workspace
nerve-db backup --quiet >/dev/null 2>&1
mkdir backups/.partial-01a1ffae-6be0-710c-8b84-76558ce715e9
run nerve-db restore latest --dry-run
expect_exit 0
[[ -d backups/.partial-01a1ffae-6be0-710c-8b84-76558ce715e9 ]] || fail "a dry run changed the repository"
run nerve-db restore latest --yes
expect_exit 0
[[ ! -e backups/.partial-01a1ffae-6be0-710c-8b84-76558ce715e9 ]] || fail "it is still there"

claim "the passphrase of the core store is asked for where only the key of the secure store is at hand"
make_workspace
(umask 077 && openssl rand -hex 32 >secure.key)
sed -i 's/^\[backup\]$/[backup]\nsecure_key_file = "secure.key"/' nerve.toml
NERVE_PASSPHRASE='correct horse' run nerve-db backup --encrypt
expect_exit 0
core=$(stdout | head -1)
secure=$(stdout | tail -1)
sqlite3 -batch nerve.db 'DELETE FROM kept'
ask='Passphrase of the backups: '
for words in 'restore latest --yes' 'backup verify --all' "backup verify $core"; do
  # shellcheck disable=SC2086
  run on_terminal "$ask" 'correct horse' -- "$NERVE_DB_BIN" $words
  expect_exit 0
  # shellcheck disable=SC2086
  run on_terminal "$ask" 'incorrect horse' -- "$NERVE_DB_BIN" $words
  # Verifying all reads those of the secure store, and tells of the others.
  if [[ $words == *--all ]]; then expect_exit 6; else expect_exit 5; fi
done
expect_equal "the rows" 2000 "$(sqlite3 -batch nerve.db 'SELECT count(*) FROM kept')"
run on_terminal -- "$NERVE_DB_BIN" backup verify "$secure"
expect_exit 0
refused 5 'encrypted with ' nerve-db backup verify "$core"

# sample METRIC STORE shows the value of m.prom.
sample() { sed -n "s|^nerve_backup_$1{database=\"[^\"]*\",store=\"$2\"} ||p" m.prom; }

claim "the metrics are those of both stores, and a store that is damaged keeps those of its last success"
make_workspace
run nerve-db backup --metrics m.prom
expect_exit 0
for store in core secure; do
  expect_equal "last_run_ok of $store" 1 "$(sample last_run_ok $store)"
  expect_equal "fulls of $store" 1 "$(grep -c "^nerve_backup_backups{.*,store=\"$store\",form=\"full\"} 1$" m.prom)"
done
before=$(sample last_success_timestamp_seconds secure)
overwrite_header nerve-secure.db
run nerve-db backup --metrics m.prom
expect_exit 6
expect_equal "last_run_ok of core" 0 "$(sample last_run_ok core)"
expect_equal "last_success of secure" "$before" "$(sample last_success_timestamp_seconds secure)"
[[ $(sample last_success_timestamp_seconds core) > $before ]] || fail "the backup of the core store does not count"
expect_equal "the headings" 1 "$(grep -c '^# TYPE nerve_backup_last_run_ok ' m.prom)"

claim "both stores are promised by a schedule, and health looks at the backups of both"
make_workspace
mkdir units
run nerve-db backup schedule --every 1h --units units
expect_exit 0
expect_equal "the promises" "[\"$work/nerve.db\",\"$work/nerve-secure.db\"]" \
  "$(sqlite3 -batch :memory: "SELECT json_group_array(json_extract(value, '$.database'))
    FROM json_each(CAST(readfile('backups/schedule.json') AS TEXT), '$.promises')")"
run nerve-db backup schedule --json
expect_equal "the second promise" kept "$(json "$test_root/out" '$.secure_store.keeping')"
run nerve-db backup schedule
expect_stdout '^secure store, kept +kept$'
nerve-db backup --quiet >/dev/null 2>&1
# Of the secure store nothing comes any more.
sed -i 's/"since": "[^"]*"/"since": "2020-01-01T00:00:00.000000Z"/' backups/schedule.json
for manifest in backups/*/manifest.json; do
  [[ $(json "$manifest" '$.set.role') == core ]] || rm -r "$(dirname "$manifest")"
done
nerve-db backup repair --quiet >/dev/null
run nerve-db health
expect_exit 2
expect_stdout '^ok +backup\.schedule \(core\) '
expect_stdout '^critical +backup\.schedule \(secure\) '
expect_stdout '^warning +backup\.age \(secure\) .*nerve-secure\.db'
run nerve-db health --prometheus
expect_stdout '^nerve_health_status\{check="backup\.schedule",store="secure",target="[^"]*"\} 2$'
expect_equal "series that are there twice" '' "$(grep -o '^nerve_[a-z_]*{[^}]*}' "$test_root/out" | sort | uniq -d)"
run nerve-db health --json
expect_equal "the stores" 2 "$(sqlite3 -batch :memory: "SELECT count(DISTINCT json_extract(value, '$.store'))
  FROM json_each(CAST(readfile('$test_root/out') AS TEXT), '$.checks') WHERE json_extract(value, '$.id') = 'backup.age'")"
run nerve-db backup schedule --off --units units
expect_exit 0
if grep -q database backups/schedule.json; then fail "a promise is left"; fi
