# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests took. measured_run (tests/support) leaves a file for each test, which holds its processor seconds: unlike
# its time, they say the same on a busy machine.

# forget_test_times FOLDER makes sure that only what runs from here on is looked at.
forget_test_times() { find "$1" -type f -delete; }

# slow_tests FOLDER SECONDS prints a line for each test that took more, the slowest first.
slow_tests() {
  local file
  for file in "$1"/*; do
    if [[ -f $file ]]; then printf '%s %s\n' "$(<"$file")" "${file##*/}"; fi
  done | sort -rn | awk -v most="$2" '$1 > most {printf "%s took %s processor seconds\n", $2, $1}'
}

# check_test_times FOLDER SECONDS fails where a test took more.
check_test_times() {
  local slow
  slow=$(slow_tests "$1" "$2")
  if [[ -z $slow ]]; then return; fi
  printf '%s\n' "$slow" >&2
  fail "a test takes at most $2 processor seconds here, so that all of them stay bearable" \
    "Let it try fewer by scaled() of tests/support/effort.h (tools/test --long tries all), or make two tests of it."
}

# total_test_seconds FOLDER prints how many processor seconds all of them took.
total_test_seconds() { find "$1" -type f -exec cat {} + | awk '{sum += $1} END {printf "%.0f", sum}'; }
