#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# queries slow, stats and clear on a log whose numbers are known.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_log() {
  cat >"$1" <<'LOG'
{"nerve_query_log": 1, "statements": [
  {"sql": "SELECT name FROM artist WHERE id = ?", "calls": 1000, "failures": 0, "slow_calls": 0, "rows": 1000,
   "total_ns": 20000000, "max_ns": 1000000, "histogram": {"60": 1000}},
  {"sql": "SELECT count(*) FROM album", "calls": 2, "failures": 1, "slow_calls": 2, "rows": 2,
   "total_ns": 500000000, "max_ns": 300000000, "histogram": {"110": 2}},
  {"sql": "DELETE FROM album", "calls": 4, "failures": 0, "slow_calls": 1, "rows": 8,
   "total_ns": 250000000, "max_ns": 200000000, "histogram": {"108": 4}}]}
LOG
}
statements() { stdout | sed -nE 's/.*  ((SELECT|DELETE).*)$/\1/p'; }

claim "slow lists the statements that were slow, the most costly first"
make_log log.json
run nerve-db queries slow --log log.json
expect_exit 0
expect_equal "the statements" "$(printf 'SELECT count(*) FROM album\nDELETE FROM album')" "$(statements)"
expect_stdout '^ +2 +2 +500 ms +250 ms '

claim "--over chooses by the longest call"
make_log log.json
run nerve-db queries slow --log log.json --over 250
expect_equal "the statements" 'SELECT count(*) FROM album' "$(statements)"
run nerve-db queries slow --log log.json --over 1
expect_equal "their number" 3 "$(statements | wc -l)"

claim "--sort and --limit choose order and length"
make_log log.json
run nerve-db queries stats --log log.json --sort calls --limit 2
expect_equal "the statements" "$(printf 'SELECT name FROM artist WHERE id = ?\nDELETE FROM album')" "$(statements)"

claim "the log that nerve.toml names is the default, and JSON has its numbers"
make_log log.json
printf '[query_log]\nfile = "log.json"\n' >nerve.toml
chmod 600 nerve.toml
nerve-db queries slow --json >slow.json
expect_equal "calls" 2 "$(json slow.json '$.statements[0].calls')"
expect_equal "failures" 1 "$(json slow.json '$.statements[0].failures')"
expect_equal "total" 500000000 "$(json slow.json '$.statements[0].total_ns')"

claim "clear forgets, with --yes"
make_log log.json
refused 2 'must be confirmed' nerve-db queries clear --log log.json
run nerve-db queries clear --log log.json --yes
expect_exit 0
run nerve-db queries stats --log log.json
[[ $code -eq 0 || $code -eq 3 ]] || fail "the log cannot be read any more"
expect_nowhere 'album'

claim "who misses a query log is told who writes one"
run nerve-db queries slow --log none.json
expect_exit 3
expect_stderr "^hint: It is written by programs that use the library .*'nerve-db stats' of a PostgreSQL database"

claim "clear without a terminal names the option that it has"
make_log log.json
refused 2 'must be confirmed' nerve-db queries clear --log log.json
expect_stderr '^hint: Add --yes to do it\.$'
run nerve-db queries clear --log log.json --yes --json
expect_exit 0
expect_equal "what was cleared" log.json "$(json "$test_root/out" '$.cleared')"
