#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/rescue.md followed to the letter where the key is lost, and with backups of an older program.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cli/rescue_page.sh
source "$(dirname "${BASH_SOURCE[0]}")/rescue_page.sh"

claim "a recovery key opens a chain without its key, also where only the folder of the full has the slot left"
(umask 077 && openssl rand -hex 32 >key && printf 'correct horse battery\n' >passphrase)
make_states --key-file key
(umask 077 && nerve-db backup recovery-key --repo repo --key-file key --quiet >recovery.key)
grep -qF -- "--recovery-key-file recovery.key" "$page" || fail "the page does not say how"
run rescue --recovery-key-file recovery.key "repo/${ids[2]}" out.db
expect_rescued 3 out.db
tr 'A-Z-' 'a-z ' <recovery.key >typed.key
rm repo/recovery.json
run rescue --recovery-key-file typed.key "repo/${ids[1]}" second.db
expect_rescued 2 second.db
echo damaged >repo/recovery.json
cd "repo/${ids[0]}" || exit 1
run rescue --recovery-key-file ../../typed.key . ../../first.db
cd ../.. || exit 1
expect_rescued 1 first.db
rm -r repo shop.db
make_states --passphrase-file passphrase
(umask 077 && nerve-db backup recovery-key --repo repo --passphrase-file passphrase --quiet >other.key)
run rescue --recovery-key-file other.key "repo/${ids[2]}" third.db
expect_rescued 3 third.db

claim "a recovery key with a typing error, of another repository or without its slot is told, and plain containers are refused"
run rescue --recovery-key-file ../$((claims - 1))/recovery.key "../$((claims - 1))/repo/${ids[2]}" out.db
expect_refused 'the recovery key opens no slot of the key that the backup was encrypted with$'
repo=../$((claims - 1))/repo
{ head -c 1 ../$((claims - 1))/other.key | tr 'A-Z2-7' 'B-Z2-7A' && tail -c +2 ../$((claims - 1))/other.key; } >wrong.key
run rescue --recovery-key-file wrong.key "$repo/${ids[2]}" out.db
expect_refused 'the recovery key has a typing error'
cp -r "$repo" altered
sed -i 's/"wrapped": "../"wrapped": "zz/' altered/recovery.json altered/*/recovery.json
run rescue --recovery-key-file ../$((claims - 1))/other.key "altered/${ids[2]}" out.db
expect_refused 'the recovery key opens no slot'
make_states
run rescue --recovery-key-file ../$((claims - 1))/other.key "repo/${ids[2]}" out.db
expect_refused 'it is not encrypted, and a key is given'

claim "the page opens the containers of an older program"
cp -r "$NERVE_SOURCE_DIR"/tests/data/repository-0.1/. .
old=(repository/*/) sealed=(sealed/*/) passphrase=(passphrase/*/)
run rescue "${old[2]}" plain.db
expect_exit 0
run rescue --key-file key "${sealed[1]}" sealed.db
expect_exit 0
run rescue --passphrase-file pass "${passphrase[0]}" passphrase.db
expect_exit 0
expect_equal "the rows" '52 53 53' \
  "$(for name in plain sealed passphrase; do sqlite3 -batch $name.db 'SELECT count(*) FROM events'; done | xargs)"
