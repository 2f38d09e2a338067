# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # test_root comes from lib.sh.
# What the tests that follow docs/rescue.md have in common: its program, cut out of the page by the page's own command, and
# databases with backups to have back. Sourced behind lib.sh.

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
