# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How the scripts talk. What they say goes to stderr, so that stdout holds what the commands they run print.

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' red='' plain=''
fi

heading() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain" >&2; }

say() { printf '%s\n' "$1" >&2; }

# fail MESSAGE [HINT] ends the script with exit code 1.
fail() {
  printf '%serror: %s%s\n' "$red" "$1" "$plain" >&2
  if [[ -n ${2:-} ]]; then printf 'hint: %s\n' "$2" >&2; fi
  exit 1
}

# usage_error MESSAGE ends the script with exit code 2.
usage_error() {
  printf '%serror: %s%s\nhint: --help shows what is possible.\n' "$red" "$1" "$plain" >&2
  exit 2
}

# print_help SCRIPT prints the comment that SCRIPT opens with, which is its help.
print_help() { sed -n '4,/^$/s/^# \{0,1\}//p' "$1"; }
