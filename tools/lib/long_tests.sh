# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154  # The lists of packages come from packages.sh.
# The areas of `tools/test --long`. Needs messages.sh, packages.sh and build.sh, and run_tests of tools/test.

# What each area is; the order is that of "all", the shortest first.
long_areas=(
  "convert  conversions with all rows and random schemas, and the SQL parsers with all random expressions"
  "kills    every kill -9 and power loss of the tests, at 15 to 100 moments each"
  "faults   every fault of the sweeps of backup, restore, prune, consolidation, replication and sets"
  "backups  the tests of backups with full counts: 5 GiB sparse files, 1000 random damages, all page sizes"
  "threads  backups, convert, the database port, modules and workspace with ThreadSanitizer, in build/tsan"
  "tidy     clang-tidy on every source file"
  "fuzz     clang's libFuzzer on each target, ten minutes each (NERVE_FUZZ_SECONDS=600), in build/fuzz"
)

list_long_areas() {
  printf '%s\n' "Areas of tools/test --long:" ''
  printf '  %s\n' "${long_areas[@]}"
  printf '  %s\n' "all      all of them, one after the other"
}

is_long_area() {
  local line
  for line in "${long_areas[@]}"; do
    if [[ $1 == "${line%% *}" ]]; then return; fi
  done
  return 1
}

# long_area NAME runs one.
long_area() {
  case $1 in
    tidy)
      install_packages "${check_packages[@]}"
      tools/check-tidy --all
      ;;
    fuzz)
      install_packages "${fuzz_packages[@]}"
      build fuzz "-DNERVE_FUZZ_SECONDS=${NERVE_FUZZ_SECONDS:-600}" --target fuzz_tests
      run_tests fuzz --label-regex '^fuzz$'
      ;;
    threads)
      build tsan -DNERVE_BUILD_TESTS=ON --target backups_tests --target convert_tests --target threads_tests
      run_tests tsan --label-regex '^(backups|convert|threads)$'
      ;;
    *)
      build release -DNERVE_BUILD_TESTS=ON --target "$1_tests"
      NERVE_TEST_LONG=1 run_tests release --label-regex "^$1\$"
      ;;
  esac
}
