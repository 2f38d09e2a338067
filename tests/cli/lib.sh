# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of the command line are written with. A test is a claim, commands that are run, and what is expected
# of their exit code, standard output and standard error:
#
#   claim "health of a missing file is critical"
#   run nerve-db health --db missing.db
#   expect_exit 2
#
# Each claim works in a new folder of its own, with no terminal, no settings and no variables of NERVE's. An expectation
# that fails is shown with what was run, and the script ends with 1 when any did.

# With pipefail, a reader must read to the end: what writes to `grep -q` may be ended by SIGPIPE.
set -uo pipefail

: "${NERVE_DB_BIN:?the path of the command to test}"
: "${NERVE_SOURCE_DIR:?the root of the source tree}"
for variable in ${!NERVE_@}; do
  case $variable in NERVE_DB_BIN | NERVE_SOURCE_DIR | NERVE_TEST_DATA | NERVE_TEST_LONG) ;; *) unset "$variable" ;; esac
done
unset PGPASSWORD PGPASSFILE PGHOST PGPORT PGUSER PGDATABASE NO_COLOR COLUMNS
export LC_ALL=C.UTF-8 TZ=UTC HOME=/nonexistent

test_root=$(mktemp -d "${TMPDIR:-/tmp}/nerve-cli-XXXXXX")
# What nerve-db remembers of repositories must not come from or stay on the machine.
export XDG_STATE_HOME=$test_root/state
claims=0
failures=0
current_claim=''
last_command=''
code=0

# scaled FEW ALL prints what to try: all in a long run (tests/support/effort.h), few otherwise.
scaled() { if [[ -n ${NERVE_TEST_LONG:-} ]]; then echo "$2"; else echo "$1"; fi; }

nerve-db() { "$NERVE_DB_BIN" "$@"; }

# claim TEXT begins a test in a new, empty folder.
claim() {
  current_claim=$1
  claims=$((claims + 1))
  work=$test_root/$claims
  mkdir -m 0700 "$work"
  cd "$work" || exit 1
}

skip() { echo "skipped: $current_claim: $1"; }

# run COMMAND... keeps exit code, output and errors for the expectations that follow.
run() {
  last_command=$*
  code=0
  "$@" >"$test_root/out" 2>"$test_root/err" </dev/null || code=$?
}

fail() {
  failures=$((failures + 1))
  {
    echo "FAILED: $current_claim"
    echo "  $1"
    echo "  command: $last_command"
    echo "  exit code: $code"
    sed 's/^/  stdout: /' "$test_root/out" | head -30
    sed 's/^/  stderr: /' "$test_root/err" | head -30
  } >&2
}

expect_exit() { [[ $code -eq $1 ]] || fail "expected exit code $1"; }
# What is expected of output is an extended regular expression that some line matches.
expect_stdout() { grep -qE -- "$1" "$test_root/out" || fail "standard output lacks: $1"; }
expect_stderr() { grep -qE -- "$1" "$test_root/err" || fail "standard error lacks: $1"; }
expect_no_stdout() { [[ ! -s $test_root/out ]] || fail "standard output is not empty"; }
expect_nowhere() {
  if grep -qF -- "$1" "$test_root/out" "$test_root/err"; then fail "the output holds what it must not: $1"; fi
}
expect_hint() { grep -qE '^hint: .' "$test_root/err" || fail "there is no hint"; }
# expect_equal WHAT EXPECTED ACTUAL
expect_equal() { [[ $2 == "$3" ]] || fail "$1 is '$3' instead of '$2'"; }
stdout() { cat "$test_root/out"; }

# What is in a folder: names, kinds, modes, sizes, times of files, and contents.
snapshot_of() {
  find "$1" \( -type f -printf '%p %y %m %s %T@\n' \) -o -printf '%p %y %m\n' | sort
  find "$1" -type f -exec sha256sum {} + | sort
}
snapshot() { snapshot_of .; }

# refused CODE MESSAGE COMMAND... expects an error of this exit code whose message matches, with a hint, nothing on
# standard output, and nothing created or changed in the folder.
refused() {
  local expected_code=$1 message=$2 before
  shift 2
  before=$(snapshot)
  run "$@"
  expect_exit "$expected_code"
  expect_stderr "^nerve-db: error: .*$message"
  expect_hint
  expect_no_stdout
  [[ $(snapshot) == "$before" ]] || fail "the folder was changed: $(diff <(echo "$before") <(snapshot))"
}

# json FILE PATH: a value of a JSON document, read by sqlite3.
json() {
  sqlite3 -batch :memory: "SELECT json_extract(CAST(readfile('$1') AS TEXT), '$2')"
}

# make_database FILE [ROWS] makes a small music shop: two tables with a foreign key between them, and an index.
make_database() {
  sqlite3 -batch "$1" "
    CREATE TABLE artist(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE album(id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artist(id), title TEXT NOT NULL);
    CREATE INDEX album_by_artist ON album(artist_id);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
    INSERT INTO artist SELECT i, 'artist ' || i FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${2:-2000})
    INSERT INTO album SELECT i, 1 + i % 50, 'album number ' || i || ' of the catalogue' FROM n;"
  chmod 600 "$1"
}

# make_healthy FILE [OPTION...] makes the same and leaves nothing for health to find. The options go to the backup.
make_healthy() {
  local file=$1
  shift
  make_database "$file"
  sqlite3 -batch "$file" ANALYZE
  nerve-db backup --db "$file" --quiet "$@" >/dev/null
  nerve-db backup verify latest --db "$file" --quiet "$@" >/dev/null
}

# damage FILE TABLE overwrites a page with rows of a table, as a failing disk would.
damage() {
  local page size
  page=$(sqlite3 -batch -readonly "$1" "SELECT pageno FROM dbstat WHERE name = '$2' AND pagetype = 'leaf'
    ORDER BY pageno LIMIT 1 OFFSET 1")
  size=$(sqlite3 -batch -readonly "$1" 'PRAGMA page_size')
  head -c "$size" /dev/zero | tr '\0' '\377' | dd of="$1" bs="$size" seek=$((page - 1)) conv=notrunc status=none
}

# on_terminal [--first COMMAND] [PROMPT ANSWER]... -- COMMAND... runs it on a terminal and answers what it asks.
on_terminal() { python3 -I -S "$NERVE_SOURCE_DIR/tests/cli/on_terminal.py" "$@"; }

content() { sqlite3 -batch -readonly "$1" .sha3sum; }

# as_stranger COMMAND... runs it without the rights of root; only where root can put them aside.
can_be_stranger() { [[ $EUID -ne 0 ]] || command -v setpriv >/dev/null; }
as_stranger() {
  if [[ $EUID -ne 0 ]]; then
    "$@"
  else
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  fi
}

finish_tests() {
  cd / || exit 1
  chmod -R u+w "$test_root" && rm -rf "$test_root"
  if [[ $failures -gt 0 ]]; then
    echo "$failures expectations failed in $claims claims" >&2
    exit 1
  fi
  echo "$claims claims hold"
}
trap finish_tests EXIT
