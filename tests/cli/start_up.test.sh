#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is loaded at each start of the command: it decides how long a short command takes (benchmarks/start_up).
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The libraries that the loader maps before main. A sanitizer's runtime brings some of its own, and libstdc++.
loaded_at_start() {
  LD_TRACE_LOADED_OBJECTS=1 "$NERVE_DB_BIN" | sed -nE 's/^[[:space:]]*([^ /]+)\.so.*/\1/p'
}
is_sanitized() { loaded_at_start | grep -E '^lib(a|ub)san$' >/dev/null; }

# make_broken_library NAME puts a file that is no library where it is found first.
make_broken_library() {
  mkdir -p libraries
  echo 'not a library' >"libraries/$1"
}
with_broken_library() { LD_LIBRARY_PATH=$PWD/libraries "$NERVE_DB_BIN" "$@"; }

claim "neither libpq nor libcrypto is loaded at the start: what is called of them stands in lazy_libraries/"
run loaded_at_start
expect_exit 0
expect_stdout '^libsqlite3$'
expect_nowhere libpq
expect_nowhere libcrypto

claim "no other library of C++ is loaded at the start"
if is_sanitized; then
  skip "a sanitizer brings libraries of its own"
else
  run loaded_at_start
  expect_equal "the libraries" "libc libgcc_s libm libsqlite3 linux-vdso" \
    "$(stdout | grep -v '^ld-' | sort | tr '\n' ' ' | sed 's/ $//')"
fi

claim "a PostgreSQL database without a libpq that works is an error that names its package"
make_broken_library libpq.so.5
refused 7 'a shared library cannot be used: .*libpq\.so\.5' with_broken_library stats --db postgresql:///app
expect_stderr '^hint: .*package libpq5'

claim "an SQLite database needs neither libpq nor libcrypto"
make_broken_library libpq.so.5
make_broken_library libcrypto.so.3
make_database shop.db
for command in stats health optimize; do
  run with_broken_library "$command" --db shop.db
  [[ $code -le 1 ]] || fail "$command needs a library that it has no use for"
done

claim "a backup without a libcrypto that works is refused, and leaves no backup behind"
make_broken_library libcrypto.so.3
make_database shop.db
run with_broken_library backup --db shop.db --repo backups
expect_exit 7
expect_stderr 'a shared library cannot be used: .*libcrypto\.so\.3'
expect_stderr '^hint: .*package libssl3'
run nerve-db backup list --repo backups --json
expect_nowhere '"id"'
