#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/rescue.md followed to the letter with backups that were altered: they are refused.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cli/rescue_page.sh
source "$(dirname "${BASH_SOURCE[0]}")/rescue_page.sh"

claim "one changed byte anywhere in an encrypted chain is refused, in header, records, index and trailer"
(umask 077 && openssl rand -hex 32 >key)
make_states --key-file key
for victim in $(scaled "${ids[1]}" "${ids[0]} ${ids[1]}"); do
  file=repo/$victim/pages.sealed
  size=$(stat -c %s "$file")
  cp -p "$file" whole
  # The fields of the header: kind, number of pages, parent, salts; its seal.
  for offset in $(scaled "24 230" "16 24 70 121 140 230"); do
    flip "$file" "$offset"
    run rescue --key-file key "repo/${ids[2]}" out.db
    expect_refused '(altered|it is not a delta to|it does not begin|not the one that it was encrypted with)'
    cp -p whole "$file"
  done
  # A list of pages: its frame, the number of its group, the first page, its last hash before the tag; then its pages.
  list_size=$((24 + $(python3 -c 'import struct, sys
print(struct.unpack("<I", open(sys.argv[1], "rb").read()[260:264])[0])' "$file") - 16))
  few="264 $((size / 2))"
  for offset in $(scaled "$few" "$few 257 272 $((256 + list_size - 17)) $((256 + list_size + 400)) $((size - 140)) $((size - 100)) $((size - 8))"); do
    flip "$file" "$offset"
    run rescue --key-file key "repo/${ids[2]}" out.db
    expect_refused '(altered|cut off)'
    cp -p whole "$file"
  done
  truncate -s -1 "$file"
  run rescue --key-file key "repo/${ids[2]}" out.db
  expect_refused 'it was cut off or never finished$'
  cp -p whole "$file"
done
run rescue --key-file key "repo/${ids[2]}" out.db
expect_rescued 3 out.db

claim "one changed byte in an unencrypted chain is refused"
make_states
for victim in "${ids[0]}" "${ids[2]}"; do
  file=repo/$victim/pages.zst
  size=$(stat -c %s "$file")
  cp -p "$file" whole
  for offset in $(scaled "24 $((size / 2))" "24 120 272 300 $((size / 2)) $((size - 130)) $((size - 60))"); do
    flip "$file" "$offset"
    run rescue "repo/${ids[2]}" out.db
    expect_refused '(altered|it does not)'
    cp -p whole "$file"
  done
done

claim "a chain without its middle, or with a container of another, is refused"
make_states
cp "repo/${ids[1]}/pages.zst" strange.zst
rm -r repo shop.db
make_states
mv "repo/${ids[1]}" aside
run rescue "repo/${ids[2]}" out.db
expect_refused 'there is no container in this folder, or the folder is missing$'
mv aside "repo/${ids[1]}"
cp strange.zst "repo/${ids[1]}/pages.zst"
run rescue "repo/${ids[2]}" out.db
expect_exit 1
[[ ! -e out.db ]] || fail "a database was made"

claim "a container in the place of another backup's is refused"
(umask 077 && openssl rand -hex 32 >key)
make_states --key-file key
cp "repo/${ids[0]}/pages.sealed" "repo/${ids[1]}/pages.sealed"
run rescue --key-file key "repo/${ids[1]}" out.db
expect_refused 'it is of another backup than its folder: it was exchanged, or the folder renamed$'
mv "repo/${ids[0]}" renamed
run rescue --key-file key renamed out.db
expect_refused 'it is of another backup than its folder: it was exchanged, or the folder renamed$'
mv renamed "repo/${ids[0]}"
cd "repo/${ids[0]}" || exit 1
run rescue --key-file ../../key . ../../out.db
cd ../.. || exit 1
expect_rescued 1 out.db

claim "where a key is given, a container that is not encrypted does not pass for one that is"
(umask 077 && openssl rand -hex 32 >key && printf 'right\n' >passphrase)
make_states
for name in pages.zst pages.sealed; do
  [[ -e repo/${ids[0]}/$name ]] || mv "repo/${ids[0]}/pages.zst" "repo/${ids[0]}/$name"
  for key in '--key-file key' '--passphrase-file passphrase'; do
    # shellcheck disable=SC2086
    run rescue $key "repo/${ids[0]}" out.db
    expect_refused 'it is not encrypted, and a key is given'
  done
  NERVE_PASSPHRASE=right run rescue "repo/${ids[0]}" out.db
  expect_refused 'it is not encrypted, and a key is given'
done
run rescue "repo/${ids[0]}" out.db
expect_rescued 1 out.db
