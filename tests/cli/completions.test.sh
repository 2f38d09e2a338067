#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The completion scripts: what they offer is asked of the shells themselves.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# in_bash WORD... shows what bash offers for the last word.
in_bash() {
  bash -c '
    source <("$NERVE_DB_BIN" completions bash)
    COMP_WORDS=("$NERVE_DB_BIN" "$@") COMP_CWORD=$#
    _nerve_db
    printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

in_fish() {
  # shellcheck disable=SC2016  # fish expands it.
  fish --no-config -c '
    "$NERVE_DB_BIN" completions fish | source
    complete -C "'"$*"'"'
}

claim "bash is offered commands, and the options of the command that was chosen"
run in_bash ''
expect_stdout '^health$'
expect_stdout '^backup$'
run in_bash backup ''
expect_stdout '^list$'
expect_stdout '^--deep$'
run in_bash --json backup verify --a
expect_equal "the offer" --all "$(stdout)"
run in_bash stats --d
expect_equal "the offer" --db "$(stdout)"
run in_bash --workspace backup opt
expect_equal "the offer after a value that is the name of a command" optimize "$(stdout)"

claim "bash is offered choices, files, folders and ids"
make_database shop.db
mkdir folder
id=$(nerve-db backup --db shop.db --repo folder 2>/dev/null)
run in_bash --color a
expect_equal "the offer" "auto always" "$(stdout | tr '\n' ' ' | sed 's/ $//')"
run in_bash completions f
expect_equal "the offer" fish "$(stdout)"
run in_bash backup schedule --every 1
expect_equal "the spans" "1m 15m 1h 1d" "$(stdout | tr '\n' ' ' | sed 's/ $//')"
run in_bash health watch --every 1
expect_equal "what an option of that name is offered that takes another value" "" "$(stdout)"
run in_bash stats --db s
expect_equal "the offer" shop.db "$(stdout)"
run in_bash stats --db = s
expect_equal "the offer behind an equals sign" shop.db "$(stdout)"
run in_bash backup --repo f
expect_equal "the offer" folder "$(stdout)"
run in_bash restore --repo folder ''
expect_stdout "^$id$"
expect_stdout '^latest$'
run in_bash backup show --repo folder l
expect_equal "the offer" latest "$(stdout)"

claim "the script for bash is clean"
nerve-db completions bash >nerve-db.bash
run bash -n nerve-db.bash
expect_exit 0
if command -v shellcheck >/dev/null; then
  run shellcheck nerve-db.bash
  expect_exit 0
else
  skip "needs shellcheck"
fi

claim "the script for zsh can be read by zsh"
nerve-db completions zsh >_nerve-db
run head -1 _nerve-db
expect_stdout '^#compdef nerve-db$'
if command -v zsh >/dev/null; then
  run zsh -n _nerve-db
  expect_exit 0
  expect_equal "the complaints" "" "$(cat "$test_root/err")"
else
  skip "needs zsh"
fi

claim "fish is offered commands, options, choices and ids"
if command -v fish >/dev/null; then
  export NERVE_DB_BIN
  make_database shop.db
  id=$(nerve-db backup --db shop.db --repo folder 2>/dev/null)
  PATH=$(dirname "$NERVE_DB_BIN"):$PATH
  run in_fish 'nerve-db '
  expect_stdout '^health'
  run in_fish 'nerve-db backup ver'
  expect_stdout '^verify'
  run in_fish 'nerve-db backup verify --a'
  expect_equal "the offer" --all "$(stdout | cut -f1)"
  run in_fish 'nerve-db completions z'
  expect_stdout '^zsh$'
  run in_fish 'nerve-db restore --repo folder '
  expect_stdout "^$id$"
else
  skip "needs fish"
fi
