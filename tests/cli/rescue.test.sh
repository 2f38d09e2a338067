#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/rescue.md followed to the letter: databases are had back from their backups without nerve-db, byte for byte, by
# the program that is printed there.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cli/rescue_page.sh
source "$(dirname "${BASH_SOURCE[0]}")/rescue_page.sh"

claim "a plain copy is had back by cp"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo --plain --quiet)
expect_equal "the hash" "$(sha256sum <"repo/$id/database.sqlite")" "$(json "repo/$id/manifest.json" '$.file.sha256')  -"
run cp "repo/$id/database.sqlite" out.db
expect_exit 0
expect_equal "the content" "$(content shop.db)" "$(content out.db)"

claim "a full that is not encrypted is had back by zstd alone"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo --quiet)
cp shop.db 1.db
run zstd -qd "repo/$id/pages.zst" -o out.db
expect_rescued 1 out.db

claim "a chain that is not encrypted is had back at each of its states, without the manifests"
make_states
expect_equal "the chain" "${ids[2]} ${ids[1]} ${ids[0]}" "$(chain_of "${ids[2]}" | xargs)"
rm repo/*/manifest.json
for state in 1 2 3; do
  run rescue "repo/${ids[state - 1]}" rescued-$state.db
  expect_rescued $state rescued-$state.db
done
expect_equal "the mode of the file" 600 "$(stat -c %a rescued-1.db)"
run rescue "repo/${ids[0]}" rescued-1.db
expect_exit 1
expect_stderr '^rescue: rescued-1\.db: it exists already$'

claim "an encrypted full and its deltas are had back with the passphrase of a file or of the environment"
(umask 077 && printf 'correct horse b\xc3\xa4ttery\n' >passphrase)
make_states --passphrase-file passphrase
for state in 1 2 3; do
  run rescue --passphrase-file passphrase "repo/${ids[state - 1]}" rescued-$state.db
  expect_rescued $state rescued-$state.db
done
NERVE_PASSPHRASE=$(<passphrase) run rescue "repo/${ids[2]}" out.db
expect_rescued 3 out.db
expect_equal "what is left over" '' "$(find . -name '*.partial')"

claim "a wrong passphrase is told as that, and not as damage"
(umask 077 && printf 'right\n' >passphrase)
make_states --passphrase-file passphrase
NERVE_PASSPHRASE=wrong run rescue "repo/${ids[1]}" out.db
expect_refused 'the passphrase or key file is not the one that it was encrypted with$'
expect_nowhere altered
run rescue --key-file passphrase "repo/${ids[1]}" out.db
expect_refused 'is encrypted with a passphrase, not with a key file$'

claim "a key file serves as 32 bytes and as hexadecimal digits, with any last byte"
(umask 077 && { head -c 31 /dev/urandom && printf '\n'; } >raw && od -An -vtx1 raw | tr -d ' \n' >digits && echo >>digits)
make_states --key-file raw
run rescue --key-file raw "repo/${ids[2]}" out.db
expect_rescued 3 out.db
run rescue --key-file digits "repo/${ids[1]}" digits.db
expect_rescued 2 digits.db
run rescue "repo/${ids[2]}" other.db
expect_exit 1
expect_stderr '^rescue: the backup is encrypted with a key file: give --key-file FILE$'

claim "a delta that was merged with the ones before it is had back"
(umask 077 && openssl rand -hex 32 >key)
make_states --key-file key
run nerve-db backup prune --repo repo --keep-last 1 --key-file key --yes
expect_exit 0
expect_equal "the chain" "${ids[2]} ${ids[0]}" "$(chain_of "${ids[2]}" | xargs)"
run rescue --key-file key "repo/${ids[2]}" out.db
expect_rescued 3 out.db
