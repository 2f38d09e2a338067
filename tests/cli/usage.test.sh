#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Help, version, and that documentation and examples say what is so.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Every command with its groups, one a line, found by following the lists of the help.
all_commands() {
  local name=$1 inner
  echo "$name"
  # shellcheck disable=SC2086  # A name is several words.
  "$NERVE_DB_BIN" $name --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\)  .*/\1/p' |
    while read -r inner; do all_commands "${name:+$name }$inner"; done
}
mapfile -t commands < <(all_commands '')

demo_parts=$NERVE_SOURCE_DIR/tests/cli/demo

# of_modules SQL asks modules.json, whose modules are the rows of `modules` with key and value.
of_modules() {
  sqlite3 -batch :memory: "WITH modules AS (SELECT key, value FROM
    json_each(CAST(readfile('$test_root/modules.json') AS TEXT), '$.modules')) $1"
}

claim "the commands that scripts rely on are there"
for name in backup 'backup list' 'backup show' 'backup verify' 'backup schedule' restore health 'health watch' stats optimize 'queries slow' \
  completions init status 'tenant create' 'tenant list' 'jobs list' 'jobs run' 'module list' 'roles sql' \
  'migrate up' 'migrate down' 'migrate status' 'migrate plan' 'schema export' 'schema doc' 'validate email' \
  'validate domain' 'validate ip' 'validate record'; do
  printf '%s\n' "${commands[@]}" | grep -x "$name" >/dev/null || { run true; fail "there is no command '$name'"; }
done

claim "the help of each command begins with its usage, fits 120 columns, and ends with an example"
for name in "${commands[@]}"; do
  # shellcheck disable=SC2086
  run nerve-db $name --help
  expect_exit 0
  usage=$(stdout | head -1 | grep -oE '^Usage: nerve-db( [a-z-]+)*')
  expect_equal "the first line" "Usage: nerve-db${name:+ $name}" "$usage"
  expect_equal "the heading before the last line" "Example:" "$(stdout | tail -2 | head -1)"
  expect_equal "lines that are too long" "" "$(stdout | grep -E '.{121}')"
done

# What the examples of the modules' commands work on: each module puts its part into it by demo/<module>.sh, where it needs
# any, after those it depends on.
demo=$test_root/demo
nerve-db init "$demo" --quiet >/dev/null
nerve-db module list --json >"$test_root/modules.json"
mapfile -t modules < <(of_modules "SELECT m.value ->> '$.name' FROM modules AS m ORDER BY m.key")
for module in "${modules[@]}"; do
  # shellcheck source=tests/cli/demo/tenancy.sh
  if [[ -f $demo_parts/$module.sh ]]; then source "$demo_parts/$module.sh" "$demo"; fi
done

claim "every part of the demo workspace is that of a module, and every check and job of a module stands in docs/"
for part in "$demo_parts"/*.sh; do
  expect_equal "the module of $part" "$(basename "$part" .sh)" "$(printf '%s\n' "${modules[@]}" | grep -x "$(basename "$part" .sh)")"
done
for id in $(of_modules "SELECT c.value FROM modules AS m, json_each(m.value, '$.checks') AS c"); do
  expect_equal "the line of $id in docs/health.md" 1 "$(grep -c "^| \`$id\` |" "$NERVE_SOURCE_DIR/docs/health.md")"
done
for name in $(of_modules "SELECT j.value FROM modules AS m, json_each(m.value, '$.jobs') AS j"); do
  expect_equal "the line of $name in docs/workspace.md" 1 "$(grep -c "^| \`$name\` |" "$NERVE_SOURCE_DIR/docs/workspace.md")"
done

# What the example of a migrate command works on.
make_migrations() {
  mkdir migrations
  printf -- '-- migrate:up\nCREATE TABLE users (id INTEGER PRIMARY KEY);\n-- migrate:down\nDROP TABLE users;\n' \
    >migrations/0001_users.sql
  case $1 in
    'migrate up' | 'migrate new') ;;
    'migrate baseline') sqlite3 app.db 'CREATE TABLE users (id INTEGER PRIMARY KEY)' ;;
    *) nerve-db migrate up --db app.db --dir migrations --create --quiet >/dev/null ;;
  esac
  if [[ $1 == 'migrate repair' ]]; then echo '-- a remark' >>migrations/0001_users.sql; fi
}

for name in "${commands[@]}"; do
  claim "the example of '${name:-nerve-db}' works"
  make_healthy chinook.sqlite
  cp -r "$demo" demo
  make_migrations "$name"
  cat >queries.json <<'LOG'
{"nerve_query_log": 1, "statements": [{"sql": "SELECT 1", "calls": 1, "failures": 0, "slow_calls": 1, "rows": 1,
 "total_ns": 100000000, "max_ns": 100000000, "histogram": {"100": 1}}]}
LOG
  echo '{"email": "ada@example.org", "age": 36}' >users.json
  echo '{"fields": {"email": {"type": "email", "required": true}, "age": {"type": "integer"}}}' >user-rules.json
  # shellcheck disable=SC2086
  example=$(nerve-db $name --help | tail -1)
  export -f nerve-db
  # What needs a server is tried where there is one: postgresql_test.cpp.
  if [[ $example == *postgresql://* ]]; then continue; fi
  run bash -c "$example"
  expect_exit 0
done

claim "--version names the program and a version"
run nerve-db --version
expect_exit 0
expect_stdout '^nerve-db [0-9]+\.[0-9]+\.[0-9]+$'
expect_equal "the lines" 1 "$(stdout | wc -l)"
nerve-db --version --json >version.json
expect_equal "the name in JSON" nerve-db "$(json version.json '$.name')"

claim "the help and docs/exit_codes.md have the same table of exit codes"
nerve-db --help | sed -nE '/^Exit codes:/,/^$/s/^ +([0-9]+)  (.*)$/\1 \2/p' >help_table
sed -nE '/^# /,/^An error/s/^\| ([0-9]+) \| (.*) \|$/\1 \2/p' "$NERVE_SOURCE_DIR/docs/exit_codes.md" >docs_table
run diff help_table docs_table
expect_exit 0
expect_equal "the number of codes" 13 "$(wc -l <help_table)"

claim "global options stand before or after the command, and an option of a group before its command"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
run nerve-db --json stats --db shop.db
expect_stdout '^\{'
run nerve-db stats --db shop.db --json
expect_stdout '^\{'
run nerve-db backup --repo repo list
expect_exit 0
expect_stdout 'shop\.db$'

claim "--help wins over what is missing or wrong"
run nerve-db restore --help
expect_exit 0
expect_stdout '^Usage: nerve-db restore ID \[OPTIONS\]$'

claim "the names of commands may be values"
make_database health
run nerve-db stats --db health
expect_exit 0
run nerve-db restore list --repo nowhere --to copy.db
expect_exit 3

claim "an error in JSON is one line with kind, message and hint"
run nerve-db stats --json --db missing.db
expect_exit 3
expect_no_stdout
expect_equal "the lines" 1 "$(wc -l <"$test_root/err")"
expect_equal "the kind" not_found "$(json "$test_root/err" '$.error.kind')"
expect_equal "the hint" 1 "$(json "$test_root/err" '$.error.hint' | grep -c '\.$')"
run nerve-db stats --nonsense --json
expect_exit 2
expect_equal "the kind" invalid "$(json "$test_root/err" '$.error.kind')"
