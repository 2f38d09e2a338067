#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A restore that is tried before it is needed: what a drill restores, what it says of it, and what it leaves.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# proof_of ID shows how that backup was proved last.
proof_of() { json "repo/$1/verified.json" '$.proof'; }

claim "a drill restores the newest backup to a folder that is gone afterwards, and notes the proof"
make_database shop.db
run nerve-db backup --db shop.db --repo repo --quiet
sqlite3 -batch shop.db "CREATE TABLE later(a); INSERT INTO later VALUES (1), (2), (3)"
run nerve-db backup --db shop.db --repo repo --quiet
id=$(stdout)
mkdir tmp
run env TMPDIR="$work/tmp" "$NERVE_DB_BIN" backup drill --db shop.db --repo repo
expect_exit 0
expect_stdout "^${id: -8} of $work/shop\\.db: restored [0-9.]+ [KM]iB in .* \\([0-9.]+ MB/s\\), checked in "
rows=0
for table in $(sqlite3 -batch shop.db "SELECT name FROM sqlite_schema WHERE type = 'table'"); do
  rows=$((rows + $(sqlite3 -batch shop.db "SELECT count(*) FROM $table")))
done
rows=$(sqlite3 -batch :memory: "SELECT printf('%,d', $rows)")
expect_stdout "^  $rows rows?, 0 without parent, content [0-9a-f]{64}$"
expect_equal "the proof" restore "$(proof_of "$id")"
expect_equal "what is left" '' "$(ls -A tmp)"
expect_equal "the database" ok "$(sqlite3 -batch shop.db 'PRAGMA integrity_check')"

claim "the digest of a drill is that of a deep verification, and JSON tells what was timed"
make_database shop.db
run nerve-db backup --db shop.db --repo repo --quiet
id=$(stdout)
run nerve-db backup verify --deep --json --db shop.db --repo repo
digest=$(json "$test_root/out" '$.content_sha256')
run nerve-db backup drill --json --db shop.db --repo repo --scratch "$work/scratch"
expect_exit 0
expect_equal "the digest" "$digest" "$(json "$test_root/out" '$.drills[0].content_sha256')"
expect_equal "the id" "$id" "$(json "$test_root/out" '$.drills[0].id')"
expect_equal "ok" 1 "$(json "$test_root/out" '$.ok')"
expect_equal "the bytes" "$(stat -c %s shop.db)" "$(json "$test_root/out" '$.drills[0].size_bytes')"
[[ $(json "$test_root/out" '$.drills[0].restore_ms') -ge 0 ]] || fail "no time was taken"
[[ ! -e scratch ]] || fail "the folder that it made is left"

claim "a drill refuses a folder that holds other files, touches none of them, and removes what a dead drill left"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
mkdir -m 0700 scratch
echo mine >scratch/notes.txt
refused 4 'holds other files, such as notes\.txt' nerve-db backup drill --db shop.db --repo repo --scratch scratch
expect_equal "what is there" mine "$(cat scratch/notes.txt)"
rm scratch/notes.txt
touch scratch/nerve-drill-dead.db scratch/nerve-drill-dead.db-wal scratch/.nerve-drill-dead.db.nerve-restore
run nerve-db backup drill --db shop.db --repo repo --scratch scratch
expect_exit 0
expect_equal "what is left" '' "$(ls -A scratch)"

claim "a drill refuses a scratch folder that is none, is a link, or may be written to by others"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
: >file
mkfifo fifo
mkdir -m 0700 real
ln -s real link
ln -s nowhere dangling
for name in file fifo; do
  refused 4 "the scratch folder $work/$name is no folder$" nerve-db backup drill --db shop.db --repo repo --scratch $name
done
for name in link link/ dangling; do
  refused 4 "the scratch folder $work/${name%/} is a symbolic link$" nerve-db backup drill --db shop.db --repo repo --scratch $name
done
for mode in 0770 0707 1777; do
  chmod $mode real
  refused 5 "others may write to the scratch folder $work/real$" nerve-db backup drill --db shop.db --repo repo --scratch real
  expect_stderr "^hint: Let only its owner: chmod 700 $work/real\."
done
refused 5 "others may write to the scratch folder $work/real$" \
  nerve-db backup schedule --db shop.db --repo repo --every 1h --drill-every daily --drill-scratch real --cron
chmod 0700 real
run nerve-db backup drill --db shop.db --repo repo --scratch real/
expect_exit 0
if [[ $EUID -eq 0 ]]; then
  chown 65534 real
  refused 5 "the scratch folder $work/real belongs to another user$" nerve-db backup drill --db shop.db --repo repo --scratch real
fi

claim "a drill with a backup that is damaged fails, and takes away the note that it was proved"
make_database shop.db
run nerve-db backup --db shop.db --repo repo --quiet
id=$(stdout)
run nerve-db backup verify --db shop.db --repo repo
expect_equal "the proof" hashes "$(proof_of "$id")"
size=$(stat -c %s "repo/$id/pages.zst")
printf 'x' | dd of="repo/$id/pages.zst" bs=1 seek=$((size / 2)) conv=notrunc status=none
run nerve-db backup drill --db shop.db --repo repo --scratch scratch
expect_exit 6
expect_stdout "^${id: -8} of .*: it cannot be relied on$"
expect_stderr 'error: the drill with backup .* failed: .*damaged'
expect_hint
[[ ! -e repo/$id/verified.json ]] || fail "the note is left"
[[ ! -e scratch ]] || fail "the folder is left"

claim "a drill of an encrypted backup wants a folder that is named, and leaves nothing in it"
make_database shop.db
(umask 077 && openssl rand -hex 32 >key)
nerve-db backup --db shop.db --repo repo --key-file key --quiet >/dev/null
refused 2 'is encrypted: a drill writes its database to a file, and no folder is named' \
  nerve-db backup drill --db shop.db --repo repo --key-file key
run nerve-db backup drill --db shop.db --repo repo --key-file key --scratch scratch
expect_exit 0
[[ ! -e scratch ]] || fail "the folder is left"
(umask 077 && openssl rand -hex 32 >other.key)
run nerve-db backup drill --db shop.db --repo repo --key-file other.key --scratch scratch
expect_exit 5

claim "without --db a drill restores the newest of each database of the repository"
make_database one.db
make_database two.db
for name in one two two; do nerve-db backup --db $name.db --repo repo --quiet >/dev/null; done
run nerve-db backup drill --repo repo --json
expect_exit 0
expect_equal "the databases" "[\"$work/one.db\",\"$work/two.db\"]" "$(sqlite3 -batch :memory: \
  "SELECT json_group_array(json_extract(value, '\$.source')) FROM json_each(CAST(readfile('$test_root/out') AS TEXT), '\$.drills')")"

claim "in a workspace a drill restores the newest whole set, and says what it passes over"
nerve-db init . --quiet >/dev/null
nerve-db backup --quiet >set.txt 2>/dev/null
run nerve-db backup --db nerve.db --repo backups --quiet
alone=$(stdout)
run nerve-db backup drill --json
expect_exit 0
expect_equal "the backups" "$(paste -sd , set.txt)" "$(sqlite3 -batch :memory: \
  "SELECT group_concat(json_extract(value, '\$.id')) FROM json_each(CAST(readfile('$test_root/out') AS TEXT), '\$.drills')")"
run nerve-db backup drill
expect_stderr "^note: the newer backup ${alone: -8} is passed over: it was made of $work/nerve\\.db alone$"

claim "with --older-than a drill is made only where the last proof by a restore is older"
make_database shop.db
run nerve-db backup --db shop.db --repo repo --quiet
id=$(stdout)
nerve-db backup verify --db shop.db --repo repo >/dev/null 2>&1
run nerve-db backup drill --db shop.db --repo repo --older-than weekly
expect_stdout 'restored'
run nerve-db backup drill --db shop.db --repo repo --older-than weekly
expect_exit 0
expect_no_stdout
expect_stderr "a backup of $work/shop\\.db was restored .*, so no drill is due"
sed -i 's/"verified_at": "20../"verified_at": "2001/' "repo/$id/verified.json"
sed -i 's/"verified_at": "2001[0-9][0-9]-/"verified_at": "2001-/' "repo/$id/verified.json"
run nerve-db backup drill --db shop.db --repo repo --older-than weekly
expect_exit 0
expect_stdout 'restored'
