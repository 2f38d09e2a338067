#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Recovery keys: made once, printed once, and enough to open encrypted backups for the rest of time.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# make_encrypted backs a database up under a key file, and leaves its id in `id`.
make_encrypted() {
  make_database shop.db
  (umask 077 && openssl rand -hex 32 >key)
  id=$(nerve-db backup --db shop.db --repo repo --key-file key --quiet)
}
# make_recovery_key leaves one in recovery.key.
make_recovery_key() { (umask 077 && nerve-db backup recovery-key --repo repo --key-file key --quiet "$@" >recovery.key); }

claim "a recovery key is printed once, 14 groups of four, with what to do with it, and is stored nowhere"
make_encrypted
run nerve-db backup recovery-key --repo repo --key-file key
expect_exit 0
expect_equal "the lines of standard output" 1 "$(stdout | wc -l)"
expect_stdout '^[A-Z2-7]{4}(-[A-Z2-7]{4}){13}$'
expect_stderr 'shown this once and stored nowhere: print it'
expect_stderr '\-\-recovery-key-file FILE'
if grep -rqF "$(stdout)" repo; then fail "the recovery key is in the repository"; fi
expect_equal "the checksum" "$(stdout | tr -d - | base32 -d | head -c 32 | openssl dgst -sha256 -binary | head -c 3 | od -An -tx1)" \
  "$(stdout | tr -d - | base32 -d | tail -c 3 | od -An -tx1)"
run nerve-db backup recovery-key --repo repo --key-file key --json
expect_exit 0
expect_equal "the key" "$(json "repo/$id/manifest.json" '$.authentication.key')" "$(json "$test_root/out" '$.key')"
expect_equal "the length" 69 "$(json "$test_root/out" '$.recovery_key' | tr -d '\n' | wc -c)"

claim "list, verify, restore and drill work with the recovery key, of a file or of the environment"
make_encrypted
make_recovery_key
run nerve-db backup verify --all --repo repo --recovery-key-file recovery.key
expect_exit 0
run nerve-db backup list --repo repo --recovery-key-file recovery.key
expect_exit 0
expect_nowhere unauthenticated
run nerve-db restore "$id" --repo repo --to out.db --recovery-key-file recovery.key
expect_exit 0
expect_equal "the content" "$(content shop.db)" "$(content out.db)"
NERVE_RECOVERY_KEY=$(<recovery.key) run nerve-db restore latest --repo repo --db shop.db --to second.db
expect_exit 0
mkdir scratch
NERVE_RECOVERY_KEY=$(<recovery.key) run nerve-db backup drill --repo repo --scratch scratch
expect_exit 0
sqlite3 -batch shop.db 'DELETE FROM album'
NERVE_RECOVERY_KEY=$(<recovery.key) run nerve-db restore "$id" --repo repo --db shop.db --yes
expect_exit 0
expect_equal "the content" "$(content out.db)" "$(content shop.db)"
run nerve-db backup verify --all --repo repo --key-file key
expect_exit 0

claim "no backup is made with a recovery key, and what to do instead is said"
make_encrypted
make_recovery_key
refused 5 'a recovery key opens backups, and no new ones are made with it' \
  env NERVE_RECOVERY_KEY="$(<recovery.key)" "$NERVE_DB_BIN" backup --db shop.db --repo repo

claim "typing errors, a wrong recovery key and two keys at once are told"
make_encrypted
make_recovery_key
(umask 077 && sed 's/^\(.\{20\}\)./\18/' recovery.key >wrong.key && cut -c 6- recovery.key >short.key)
refused 2 'the recovery key has a typing error in group 5: ' nerve-db restore "$id" --repo repo --to out.db --recovery-key-file wrong.key
refused 2 'the recovery key has 52 letters and digits instead of 56' \
  nerve-db restore "$id" --repo repo --to out.db --recovery-key-file short.key
refused 2 '--key-file and --recovery-key-file are both given' \
  nerve-db restore "$id" --repo repo --to out.db --key-file key --recovery-key-file recovery.key
refused 2 'NERVE_PASSPHRASE and NERVE_RECOVERY_KEY are both set' \
  env NERVE_RECOVERY_KEY=x NERVE_PASSPHRASE=x "$NERVE_DB_BIN" restore "$id" --repo repo --to out.db
chmod 644 recovery.key
refused 5 'recovery.key' nerve-db restore "$id" --repo repo --to out.db --recovery-key-file recovery.key

claim "a recovery key needs an encrypted backup, and its key"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
refused 3 'there is no encrypted backup in ' nerve-db backup recovery-key --repo repo
rm -r repo shop.db
make_encrypted
refused 2 'no key is given' nerve-db backup recovery-key --repo repo
(umask 077 && openssl rand -hex 32 >other)
refused 3 'that the key opens' nerve-db backup recovery-key --repo repo --key-file other

claim "recovery keys are listed by name, kind and check, and a revoked one opens nothing here"
make_encrypted
make_recovery_key --name safe
mv recovery.key safe.key
make_recovery_key --name notary
run nerve-db backup recovery-key --list --repo repo --utc
expect_exit 0
check=$(json "repo/$id/manifest.json" '$.authentication.key')
check=${check##*:}
expect_stdout "^[0-9-]{10}.* safe +key file +${check:0:8}\$"
expect_stdout "^[0-9-]{10}.* notary +key file +${check:0:8}\$"
refused 2 '.' nerve-db backup recovery-key --revoke --name safe --repo repo
run nerve-db backup recovery-key --revoke --name safe --repo repo --yes
expect_exit 0
expect_stdout '^revoked 1 recovery key$'
expect_stderr 'copies of the repository still open with it'
run nerve-db restore "$id" --repo repo --to out.db --recovery-key-file safe.key
expect_exit 6
run nerve-db restore "$id" --repo repo --to out.db --recovery-key-file recovery.key
expect_exit 0
run nerve-db backup recovery-key --revoke --repo repo --yes --json
expect_equal "how many" 1 "$(json "$test_root/out" '$.revoked')"
run nerve-db backup recovery-key --list --repo repo --json
expect_equal "how many are left" 0 "$(json "$test_root/out" '$.recovery_keys[#]' | grep -c .)"

claim "--also takes the slots to the second repository, which then opens alone"
make_encrypted
make_recovery_key
nerve-db backup --db shop.db --repo repo --key-file key --also second --quiet >/dev/null
rm -r repo
run nerve-db restore latest --repo second --to out.db --recovery-key-file recovery.key
expect_exit 0
expect_equal "the content" "$(content shop.db)" "$(content out.db)"

claim "a recovery key is for the secure store of a workspace, and opens its backups when the key file is lost"
run nerve-db init shop
expect_exit 0
cd shop || exit 1
(umask 077 && openssl rand -hex 32 >secure.key)
sed -i 's/^\[backup\]$/&\nsecure_key_file = "secure.key"/' nerve.toml
run nerve-db backup
expect_exit 0
(umask 077 && nerve-db backup recovery-key --quiet >../recovery.key)
run nerve-db backup recovery-key --list
expect_stdout 'key file'
mv secure.key ..
run nerve-db backup verify --all --recovery-key-file ../recovery.key
expect_exit 0
run nerve-db restore latest --yes --recovery-key-file ../recovery.key
expect_exit 0

claim "a first passphrase of fewer than 12 characters is warned of, and a longer or later one is not"
make_database shop.db
(umask 077 && printf 'short\n' >short && printf 'twelve chars\n' >twelve && printf 'p\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4ss\n' >eight)
for file in short eight; do
  run nerve-db backup --db shop.db --repo $file.repo --passphrase-file $file
  expect_exit 0
  expect_stderr '^nerve-db: warning: the passphrase is shorter than 12 characters'
done
run nerve-db backup --db shop.db --repo short.repo --passphrase-file short
expect_exit 0
expect_nowhere 'shorter than'
run nerve-db backup --db shop.db --repo twelve.repo --passphrase-file twelve
expect_exit 0
expect_nowhere 'shorter than'
