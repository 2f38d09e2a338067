# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Configures and builds; run from the root of the source tree.

export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}

# configure PRESET [CMAKE-OPTION...]
configure() {
  local preset=$1
  shift
  cmake --preset "$preset" --log-level=WARNING "$@" >/dev/null ||
    fail "the build could not be configured" \
      "Look at CMake's message above. If the folder build/$preset comes from elsewhere, remove it and run this again."
}

# build PRESET [CMAKE-OPTION...] [--target NAME]...
build() {
  local preset=$1 options=() targets=()
  shift
  while [[ $# -gt 0 ]]; do
    if [[ $1 == --target ]]; then
      targets+=(--target "$2")
      shift
    else
      options+=("$1")
    fi
    shift
  done
  configure "$preset" "${options[@]}"
  cmake --build "build/$preset" "${targets[@]}" >&2 ||
    fail "the build failed" "Look at the first error above; it names the source file and line."
}
