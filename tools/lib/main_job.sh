# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # $bold and $plain come from messages.sh.
# The main job, step by step, in the current folder: a database is checked, backed up, damaged, found out and restored.

# expect CODES COMMAND... shows a command, runs it, and fails unless its exit code is one of CODES ("0", "0 1", "failure"
# for any but 0).
expect() {
  local wanted=$1 code=0
  shift
  printf '%s$ %s%s\n' "$bold" "$*" "$plain" >&2
  "$@" || code=$?
  if [[ " $wanted " == *" $code "* ]] || [[ $wanted == failure && $code -ne 0 ]]; then
    if [[ $code -ne 0 ]]; then say "(exit code $code, as expected)"; fi
    return
  fi
  fail "$1 ended with exit code $code, expected $wanted" \
    "What it printed above says why; docs/exit_codes.md explains the code. The next run of this script starts afresh."
}

# query FILE SQL asks Debian's own sqlite3, so that the proof does not rest on the program that is tried.
query() { sqlite3 -batch "$1" "$2"; }

content_digest() { query "$1" .sha3sum; }

row_counts() {
  local name
  query "$1" "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name" |
    while IFS= read -r name; do
      printf '%s %s\n' "$(query "$1" "SELECT count(*) FROM \"${name//\"/\"\"}\"")" "$name"
    done
}

# A page that holds rows of a table, the nearest to the middle of the file. The first page is left alone: without it the
# file would not even open, which is too easy to notice.
find_row_page() {
  query "$1" "
    SELECT page.pageno FROM dbstat AS page JOIN sqlite_schema AS owner ON owner.name = page.name
    WHERE owner.type = 'table' AND page.pagetype = 'leaf' AND page.pageno > 1 AND page.ncell > 0
    ORDER BY abs(page.pageno - (SELECT page_count / 2 FROM pragma_page_count)), page.pageno LIMIT 1"
}

# overwrite_page FILE NUMBER writes random bytes over one page.
overwrite_page() {
  local size
  size=$(query "$1" 'PRAGMA page_size')
  dd if=/dev/urandom of="$1" bs="$size" seek=$(($2 - 1)) count=1 conv=notrunc status=none
}

# main_job FILE works on FILE, which must be a copy, and keeps its backups in the folder "backups".
main_job() {
  local file=$1 page digest counts
  digest=$(content_digest "$file")
  counts=$(row_counts "$file")
  page=$(find_row_page "$file")
  if [[ -z $page ]]; then
    fail "the database has no page with rows beyond its first" "Give a database that holds more rows than fit one page."
  fi

  heading "1. Is the database healthy?"
  expect "0 1" nerve-db health --db "$file"

  heading "2. Back it up, look at the backup, and verify it"
  expect 0 nerve-db backup --db "$file" --repo backups | tee backup_id
  expect 0 nerve-db backup list --repo backups
  expect 0 nerve-db backup show "$(tail -n 1 backup_id)" --repo backups
  expect 0 nerve-db backup verify "$(tail -n 1 backup_id)" --repo backups

  heading "3. Damage it: page $page is overwritten with random bytes"
  overwrite_page "$file" "$page"

  heading "4. The health check finds the damage"
  expect 2 nerve-db health --db "$file"

  heading "5. A backup of the damaged database is refused"
  expect failure nerve-db backup --db "$file" --repo backups

  heading "6. Restore the good backup"
  expect 0 nerve-db restore latest --repo backups --db "$file" --yes

  heading "7. Everything is back"
  expect "0 1" nerve-db health --db "$file"
  expect 0 nerve-db stats --db "$file"
  if [[ $(content_digest "$file") != "$digest" || $(row_counts "$file") != "$counts" ]]; then
    fail "the restored database does not hold what it held before the damage" \
      "This is a defect of NERVE: please report it with the output above."
  fi
  say "$(wc -l <<<"$counts") tables with $(awk '{rows += $1} END {print rows}' <<<"$counts") rows are what they were."
  say "sqlite3 itself says so: the SHA3 of their content is ${digest:0:16}... again."
}
