# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034  # The lists are for the scripts that source this file.
# Debian's packages, by what needs them, and their installation.

build_packages=(
  cmake g++ ninja-build pkg-config
  libcli11-dev libfmt-dev libidn2-dev libmd-dev libpq-dev libsoci-dev libsqlite3-dev libsqlitecpp-dev libssl-dev
  libtomlplusplus-dev libxxhash-dev libzstd-dev nlohmann-json3-dev
)
run_packages=(sqlite3)
test_packages=(doctest-dev openssl pgbouncer postgresql python3 sqlite3 zstd)
check_packages=(clang-format clang-tidy git shellcheck)
fuzz_packages=(clang)

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# as_root COMMAND... runs it as root: directly, or by sudo.
as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

require_apt() {
  if ! command -v apt-get >/dev/null; then
    fail "this machine has no apt-get" \
      "The supported system is Debian 12. Elsewhere, install what corresponds to these packages yourself: $*"
  fi
  if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
    fail "packages are missing, and they can be installed neither as root nor by sudo" \
      "Run as root: apt-get install --no-install-recommends $*"
  fi
}

# Debian's package of PostgreSQL makes and starts a server of its own when it is installed. The tests need the programs
# only, so its installation is told not to.
forbid_server() {
  say "PostgreSQL is installed without the server that Debian would make and start: the tests start their own."
  cluster_folder=/etc/postgresql-common/createcluster.d
  cluster_setting=$cluster_folder/nerve-tests-no-server.conf
  as_root mkdir -p "$cluster_folder"
  trap permit_server EXIT
  echo 'create_main_cluster = off' | as_root tee "$cluster_setting" >/dev/null
}

permit_server() {
  as_root rm -f "$cluster_setting"
  as_root rmdir --ignore-fail-on-non-empty "$cluster_folder"
  trap - EXIT
}

# install_packages NAME... installs those that are missing, and says so before it does.
install_packages() {
  local missing=() name
  for name in "$@"; do
    if ! is_installed "$name"; then missing+=("$name"); fi
  done
  if [[ ${#missing[@]} -eq 0 ]]; then return; fi

  require_apt "${missing[@]}"
  say "These Debian packages are missing and will be installed now: ${missing[*]}"
  local without_server=no
  if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    without_server=yes
    forbid_server
  fi
  as_root apt-get update --quiet=2 >&2 ||
    say "The package lists could not be refreshed; the ones that are here are used."
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >&2 ||
    fail "the packages could not be installed" \
      "Look at apt-get's messages above; the machine must reach a Debian mirror. Then run the same command again."
  if [[ $without_server == yes ]]; then permit_server; fi
}
