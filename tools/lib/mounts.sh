# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a tree that is entered by chroot lacks. Needs messages.sh and packages.sh.

unmount_all() {
  local folder
  for folder in "$@"; do as_root umount --lazy "$folder"; done
}

# with_mounts SCRIPT [ARGUMENT...] returns at once where /proc and /dev/pts are mounted, or cannot be. Elsewhere it mounts
# them, runs SCRIPT again, unmounts them, and ends with its exit code. Some tests look there: who has a file open, how a
# terminal is talked to.
with_mounts() {
  if [[ -n ${NERVE_MOUNTS_TRIED:-} ]] || [[ -e /proc/self/fd && -e /dev/pts/ptmx ]]; then return; fi
  export NERVE_MOUNTS_TRIED=yes
  local mounted=() code=0
  if [[ ! -e /proc/self/fd ]] && as_root mount -t proc proc /proc 2>/dev/null; then mounted=(/proc); fi
  if [[ ! -e /dev/pts/ptmx ]] && as_root mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts 2>/dev/null; then
    # First in the list: unmounting looks at /proc.
    mounted=(/dev/pts "${mounted[@]}")
  fi
  if [[ ${#mounted[@]} -eq 0 ]]; then return; fi
  say "Mounted until this script ends, because tests look there: ${mounted[*]}"
  # shellcheck disable=SC2064  # What was mounted is known now.
  trap "unmount_all ${mounted[*]}" EXIT
  "$@" || code=$?
  exit "$code"
}
