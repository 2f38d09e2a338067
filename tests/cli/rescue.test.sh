#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/rescue.md followed to the letter: databases are had back from their backups without nerve-db, byte for byte, by
# the program that is printed there; what was altered is refused.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

page=$NERVE_SOURCE_DIR/docs/rescue.md
rescue=$test_root/rescue.py

# Debian's own python3, with nothing but its standard library: -I leaves out what the user or the folder adds.
rescue() { python3 -I -S "$rescue" "$@"; }

# make_states [OPTION...] backs a database up three times: a full and two deltas. It keeps each state as 1.db, 2.db and
# 3.db, and leaves the ids in `ids`. The second adds and changes rows, the third takes pages away.
make_states() {
  local state
  ids=()
  make_database shop.db 20000
  for state in 1 2 3; do
    case $state in
      2) sqlite3 -batch shop.db "UPDATE album SET title = 'renamed' WHERE id % 5000 = 0;
           WITH RECURSIVE n(i) AS (SELECT 20001 UNION ALL SELECT i + 1 FROM n WHERE i < 21000)
           INSERT INTO album SELECT i, 1, hex(randomblob(10)) FROM n" ;;
      3) sqlite3 -batch shop.db 'DELETE FROM album WHERE id > 9000; VACUUM' ;;
    esac
    ids+=("$(nerve-db backup --db shop.db --repo repo --quiet "$@")")
    cp shop.db $state.db
  done
  expect_equal "the kinds of the backups" 'full delta delta' "$(kinds)"
}

# By the loop that the page has for it, a chain of one is a full.
kinds() {
  local id of=()
  for id in "${ids[@]}"; do
    if [[ $(chain_of "$id" | wc -l) -eq 1 ]]; then of+=(full); else of+=(delta); fi
  done
  echo "${of[*]}"
}
chain_of() { env --chdir=repo id="$1" bash "$test_root/chain.sh"; }

# flip FILE OFFSET changes one byte.
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  # shellcheck disable=SC2059
  printf "\\x$(printf '%02x' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# expect_rescued STATE FILE
expect_rescued() {
  expect_exit 0
  expect_equal "what cmp says of $2" '' "$(cmp "$1.db" "$2" 2>&1)"
  expect_equal "PRAGMA integrity_check" ok "$(sqlite3 -batch "$2" 'PRAGMA integrity_check')"
}

# expect_refused MESSAGE
expect_refused() {
  expect_exit 1
  expect_stderr "^rescue: .*$1"
  [[ ! -e out.db ]] || fail "a database was made"
  rm -f out.db
}

claim "the page's own command cuts the program out of it, and it is short enough to be read"
cp "$page" rescue.md
command=$(grep -E '^ +sed .* rescue\.md > rescue\.py$' rescue.md)
run bash -c "$command"
expect_exit 0
run python3 -m py_compile rescue.py
expect_exit 0
[[ $(grep -c . rescue.py) -le 170 ]] || fail "the program has $(grep -c . rescue.py) lines"
run grep -vE '^(import [a-z0-9, ]+|from concurrent\.futures import ThreadPoolExecutor)$' <(grep -E '^ *(import|from)\b' rescue.py)
expect_no_stdout
cp rescue.py "$rescue"
sed -n '/^    while \[ -n/,/^    done/s/^    //p' rescue.md >"$test_root/chain.sh"
[[ -s $test_root/chain.sh ]] || fail "the page has no loop that lists a chain"

claim "a plain copy is had back by cp"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo --plain --quiet)
expect_equal "the hash" "$(sha256sum <"repo/$id/database.sqlite")" "$(json "repo/$id/manifest.json" '$.file.sha256')  -"
run cp "repo/$id/database.sqlite" out.db
expect_exit 0
expect_equal "the content" "$(content shop.db)" "$(content out.db)"

claim "a full that is not encrypted is had back by zstd alone"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo --quiet)
cp shop.db 1.db
run zstd -qd "repo/$id/pages.zst" -o out.db
expect_rescued 1 out.db

claim "a chain that is not encrypted is had back at each of its states, without the manifests"
make_states
expect_equal "the chain" "${ids[2]} ${ids[1]} ${ids[0]}" "$(chain_of "${ids[2]}" | xargs)"
rm repo/*/manifest.json
for state in 1 2 3; do
  run rescue "repo/${ids[state - 1]}" rescued-$state.db
  expect_rescued $state rescued-$state.db
done
expect_equal "the mode of the file" 600 "$(stat -c %a rescued-1.db)"
run rescue "repo/${ids[0]}" rescued-1.db
expect_exit 1
expect_stderr '^rescue: rescued-1\.db: it exists already$'

claim "an encrypted full and its deltas are had back with the passphrase of a file or of the environment"
(umask 077 && printf 'correct horse b\xc3\xa4ttery\n' >passphrase)
make_states --passphrase-file passphrase
for state in 1 2 3; do
  run rescue --passphrase-file passphrase "repo/${ids[state - 1]}" rescued-$state.db
  expect_rescued $state rescued-$state.db
done
NERVE_PASSPHRASE=$(<passphrase) run rescue "repo/${ids[2]}" out.db
expect_rescued 3 out.db
expect_equal "what is left over" '' "$(find . -name '*.partial')"

claim "a wrong passphrase is told as that, and not as damage"
(umask 077 && printf 'right\n' >passphrase)
make_states --passphrase-file passphrase
NERVE_PASSPHRASE=wrong run rescue "repo/${ids[1]}" out.db
expect_refused 'the passphrase or key file is not the one that it was encrypted with$'
expect_nowhere altered
run rescue --key-file passphrase "repo/${ids[1]}" out.db
expect_refused 'is encrypted with a passphrase, not with a key file$'

claim "a key file serves as 32 bytes and as hexadecimal digits, with any last byte"
(umask 077 && { head -c 31 /dev/urandom && printf '\n'; } >raw && od -An -vtx1 raw | tr -d ' \n' >digits && echo >>digits)
make_states --key-file raw
run rescue --key-file raw "repo/${ids[2]}" out.db
expect_rescued 3 out.db
run rescue --key-file digits "repo/${ids[1]}" digits.db
expect_rescued 2 digits.db
run rescue "repo/${ids[2]}" other.db
expect_exit 1
expect_stderr '^rescue: the backup is encrypted with a key file: give --key-file FILE$'

claim "a recovery key opens a chain without its key, also where only the folder of the full has the slot left"
(umask 077 && openssl rand -hex 32 >key && printf 'correct horse battery\n' >passphrase)
make_states --key-file key
(umask 077 && nerve-db backup recovery-key --repo repo --key-file key --quiet >recovery.key)
grep -qF -- "--recovery-key-file recovery.key" "$page" || fail "the page does not say how"
run rescue --recovery-key-file recovery.key "repo/${ids[2]}" out.db
expect_rescued 3 out.db
tr 'A-Z-' 'a-z ' <recovery.key >typed.key
rm repo/recovery.json
run rescue --recovery-key-file typed.key "repo/${ids[1]}" second.db
expect_rescued 2 second.db
echo damaged >repo/recovery.json
cd "repo/${ids[0]}" || exit 1
run rescue --recovery-key-file ../../typed.key . ../../first.db
cd ../.. || exit 1
expect_rescued 1 first.db
rm -r repo shop.db
make_states --passphrase-file passphrase
(umask 077 && nerve-db backup recovery-key --repo repo --passphrase-file passphrase --quiet >other.key)
run rescue --recovery-key-file other.key "repo/${ids[2]}" third.db
expect_rescued 3 third.db

claim "a recovery key with a typing error, of another repository or without its slot is told, and plain containers are refused"
run rescue --recovery-key-file ../$((claims - 1))/recovery.key "../$((claims - 1))/repo/${ids[2]}" out.db
expect_refused 'the recovery key opens no slot of the key that the backup was encrypted with$'
repo=../$((claims - 1))/repo
{ head -c 1 ../$((claims - 1))/other.key | tr 'A-Z2-7' 'B-Z2-7A' && tail -c +2 ../$((claims - 1))/other.key; } >wrong.key
run rescue --recovery-key-file wrong.key "$repo/${ids[2]}" out.db
expect_refused 'the recovery key has a typing error'
cp -r "$repo" altered
sed -i 's/"wrapped": "../"wrapped": "zz/' altered/recovery.json altered/*/recovery.json
run rescue --recovery-key-file ../$((claims - 1))/other.key "altered/${ids[2]}" out.db
expect_refused 'the recovery key opens no slot'
make_states
run rescue --recovery-key-file ../$((claims - 1))/other.key "repo/${ids[2]}" out.db
expect_refused 'it is not encrypted, and a key is given'

claim "one changed byte anywhere in an encrypted chain is refused, in header, records, index and trailer"
(umask 077 && openssl rand -hex 32 >key)
make_states --key-file key
for victim in $(scaled "${ids[1]}" "${ids[0]} ${ids[1]}"); do
  file=repo/$victim/pages.sealed
  size=$(stat -c %s "$file")
  cp -p "$file" whole
  # The fields of the header: kind, number of pages, parent, salts; its seal.
  for offset in $(scaled "24 230" "16 24 70 121 140 230"); do
    flip "$file" "$offset"
    run rescue --key-file key "repo/${ids[2]}" out.db
    expect_refused '(altered|it is not a delta to|it does not begin|not the one that it was encrypted with)'
    cp -p whole "$file"
  done
  # A list of pages: its frame, the number of its group, the first page, its last hash before the tag; then its pages.
  list_size=$((24 + $(python3 -c 'import struct, sys
print(struct.unpack("<I", open(sys.argv[1], "rb").read()[260:264])[0])' "$file") - 16))
  few="264 $((size / 2))"
  for offset in $(scaled "$few" "$few 257 272 $((256 + list_size - 17)) $((256 + list_size + 400)) $((size - 140)) $((size - 100)) $((size - 8))"); do
    flip "$file" "$offset"
    run rescue --key-file key "repo/${ids[2]}" out.db
    expect_refused '(altered|cut off)'
    cp -p whole "$file"
  done
  truncate -s -1 "$file"
  run rescue --key-file key "repo/${ids[2]}" out.db
  expect_refused 'it was cut off or never finished$'
  cp -p whole "$file"
done
run rescue --key-file key "repo/${ids[2]}" out.db
expect_rescued 3 out.db

claim "one changed byte in an unencrypted chain is refused"
make_states
for victim in "${ids[0]}" "${ids[2]}"; do
  file=repo/$victim/pages.zst
  size=$(stat -c %s "$file")
  cp -p "$file" whole
  for offset in $(scaled "24 $((size / 2))" "24 120 272 300 $((size / 2)) $((size - 130)) $((size - 60))"); do
    flip "$file" "$offset"
    run rescue "repo/${ids[2]}" out.db
    expect_refused '(altered|it does not)'
    cp -p whole "$file"
  done
done

claim "a chain without its middle, or with a container of another, is refused"
make_states
cp "repo/${ids[1]}/pages.zst" strange.zst
rm -r repo shop.db
make_states
mv "repo/${ids[1]}" aside
run rescue "repo/${ids[2]}" out.db
expect_refused 'there is no container in this folder, or the folder is missing$'
mv aside "repo/${ids[1]}"
cp strange.zst "repo/${ids[1]}/pages.zst"
run rescue "repo/${ids[2]}" out.db
expect_exit 1
[[ ! -e out.db ]] || fail "a database was made"

claim "a container in the place of another backup's is refused"
(umask 077 && openssl rand -hex 32 >key)
make_states --key-file key
cp "repo/${ids[0]}/pages.sealed" "repo/${ids[1]}/pages.sealed"
run rescue --key-file key "repo/${ids[1]}" out.db
expect_refused 'it is of another backup than its folder: it was exchanged, or the folder renamed$'
mv "repo/${ids[0]}" renamed
run rescue --key-file key renamed out.db
expect_refused 'it is of another backup than its folder: it was exchanged, or the folder renamed$'
mv renamed "repo/${ids[0]}"
cd "repo/${ids[0]}" || exit 1
run rescue --key-file ../../key . ../../out.db
cd ../.. || exit 1
expect_rescued 1 out.db

claim "where a key is given, a container that is not encrypted does not pass for one that is"
(umask 077 && openssl rand -hex 32 >key && printf 'right\n' >passphrase)
make_states
for name in pages.zst pages.sealed; do
  [[ -e repo/${ids[0]}/$name ]] || mv "repo/${ids[0]}/pages.zst" "repo/${ids[0]}/$name"
  for key in '--key-file key' '--passphrase-file passphrase'; do
    # shellcheck disable=SC2086
    run rescue $key "repo/${ids[0]}" out.db
    expect_refused 'it is not encrypted, and a key is given'
  done
  NERVE_PASSPHRASE=right run rescue "repo/${ids[0]}" out.db
  expect_refused 'it is not encrypted, and a key is given'
done
run rescue "repo/${ids[0]}" out.db
expect_rescued 1 out.db

claim "a delta that was merged with the ones before it is had back"
(umask 077 && openssl rand -hex 32 >key)
make_states --key-file key
run nerve-db backup prune --repo repo --keep-last 1 --key-file key --yes
expect_exit 0
expect_equal "the chain" "${ids[2]} ${ids[0]}" "$(chain_of "${ids[2]}" | xargs)"
run rescue --key-file key "repo/${ids[2]}" out.db
expect_rescued 3 out.db

claim "the page opens the containers of an older program"
cp -r "$NERVE_SOURCE_DIR"/tests/data/repository-0.1/. .
old=(repository/*/) sealed=(sealed/*/) passphrase=(passphrase/*/)
run rescue "${old[2]}" plain.db
expect_exit 0
run rescue --key-file key "${sealed[1]}" sealed.db
expect_exit 0
run rescue --passphrase-file pass "${passphrase[0]}" passphrase.db
expect_exit 0
expect_equal "the rows" '52 53 53' \
  "$(for name in plain sealed passphrase; do sqlite3 -batch $name.db 'SELECT count(*) FROM events'; done | xargs)"
