#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever is wrong, the command says what and how to mend it, ends with the documented exit code, and has created and
# changed nothing. `refused` of lib.sh checks all of that.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

claim "a missing file is not found"
refused 3 'there is no file .*/missing\.db$' nerve-db backup --db missing.db
refused 3 'there is no file' nerve-db stats --db sqlite:missing.db
refused 3 'there is no file' nerve-db optimize --db missing.db --apply

claim "health of a missing file is critical"
run nerve-db health --db missing.db
expect_exit 2
expect_stdout '^critical +sqlite\.file '
expect_stdout '^unknown +sqlite\.integrity '

claim "a folder is not a database"
mkdir folder
refused 2 'folder is a folder, not a database file$' nerve-db backup --db folder
run nerve-db health --db folder
expect_exit 2

claim "a file that is no database is told apart from a damaged one"
printf 'this is a text, and a text is not a database\n' >notes.txt
refused 6 'notes\.txt is not an SQLite database$' nerve-db backup --db notes.txt
refused 6 'notes\.txt is not an SQLite database$' nerve-db stats --db notes.txt
run nerve-db health --db notes.txt
expect_exit 2

claim "an encrypted database is recognised as what it may be"
head -c 8192 /dev/urandom >secret.db
refused 6 'secret\.db may be encrypted' nerve-db backup --db secret.db
run nerve-db health --db secret.db
expect_exit 2
expect_stdout 'may be encrypted'

claim "a file of zero bytes is an empty database, and a warning"
: >empty.db
chmod 600 empty.db
run nerve-db health --db empty.db
expect_exit 1
expect_stdout '^warning +sqlite\.file '
expect_equal "the size" 0 "$(stat -c %s empty.db)"

claim "what a dead writer left is one error with one remedy, which works"
make_database "sh op.db"
digest=$(content "sh op.db")
# The shell that sqlite3 starts knows its parent; bash would report its end.
# shellcheck disable=SC2016
{
  sqlite3 -batch "sh op.db" 'PRAGMA cache_size = 5' 'BEGIN' "UPDATE album SET title = 'half done'" \
    '.system kill -9 $PPID'
} >/dev/null 2>&1
for words in stats optimize; do
  refused 5 'a program that wrote to it died' nerve-db $words --db "sh op.db"
  remedy=$(sed -n 's/^hint: .*: \(nerve-db .*\)$/\1/p' "$test_root/err")
  expect_equal "the remedy" "nerve-db optimize --apply --db '$work/sh op.db'" "$remedy"
done
export -f nerve-db
run bash -c "$remedy"
expect_exit 0
run nerve-db stats --db "sh op.db"
expect_exit 0
expect_equal "the content" "$digest" "$(content "sh op.db")"

claim "hints name the database that was given, in a form that a shell takes"
make_database "sh op.db" 200
damage "sh op.db" album
run nerve-db optimize --db "sh op.db" --apply
expect_exit 6
expect_stderr "^hint: .*: nerve-db restore latest --db '$work/sh op\.db'$"

claim "a pipe is not waited for"
mkfifo pipe.db
refused 2 'pipe\.db is a pipe, socket or device' timeout 10 "$NERVE_DB_BIN" backup --db pipe.db
run timeout 10 "$NERVE_DB_BIN" health --db pipe.db
expect_exit 2

claim "a read-only folder takes no backups"
if can_be_stranger; then
  mkdir sealed
  make_database sealed/shop.db
  make_database shop.db
  mkdir repo
  chmod 0755 "$test_root" . && chmod 0644 shop.db sealed/shop.db && chmod 0555 repo sealed
  refused 5 'repo' as_stranger "$NERVE_DB_BIN" backup --db "$work/shop.db" --repo "$work/repo"
  refused 5 'sealed' as_stranger "$NERVE_DB_BIN" backup --db "$work/sealed/shop.db"
  chmod 0700 "$test_root"
else
  skip "needs setpriv to put the rights of root aside"
fi

claim "a folder that may not be written to takes no restored file"
if can_be_stranger; then
  make_database shop.db
  nerve-db backup --db shop.db --repo repo --quiet >/dev/null
  chmod 0755 "$test_root" . && chmod -R a+rX repo
  mkdir -m 0555 sealed
  refused 5 'cannot write in the folder .*sealed' \
    as_stranger "$NERVE_DB_BIN" restore latest --repo "$work/repo" --to "$work/sealed/copy.db"
  chmod 0700 "$test_root"
else
  skip "needs setpriv to put the rights of root aside"
fi

claim "a file that may not be read is denied"
if can_be_stranger; then
  make_database shop.db
  chmod 0755 "$test_root" .
  chmod 0600 shop.db
  if [[ $EUID -eq 0 ]]; then
    refused 5 'may not read .*shop\.db$' as_stranger "$NERVE_DB_BIN" stats --db "$work/shop.db"
  else
    chmod 0000 shop.db
    run nerve-db stats --db shop.db
    expect_exit 5
    expect_hint
  fi
  chmod 0700 "$test_root"
else
  skip "needs setpriv to put the rights of root aside"
fi

claim "a full device is told before anything is written"
mkdir small
if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
  make_database shop.db
  refused 7 'space' nerve-db backup --db shop.db --repo small/repo
  nerve-db backup --db shop.db --repo repo --quiet >/dev/null
  refused 7 'space' nerve-db restore latest --repo repo --to small/copy.db
  umount small
else
  skip "needs the right to mount a small tmpfs"
fi

claim "a backup on a full device is listed, verified and restored from it"
mkdir full
if mount -t tmpfs -o size=1m tmpfs full 2>/dev/null; then
  make_database shop.db
  nerve-db backup --db shop.db --repo full/repo --quiet >/dev/null
  sqlite3 -batch shop.db "UPDATE artist SET name = name || 1 WHERE id = 1"
  nerve-db backup --db shop.db --repo full/repo --quiet >/dev/null
  dd if=/dev/zero of=full/ballast bs=4k 2>/dev/null
  refused 7 'space' nerve-db backup --db shop.db --repo full/repo
  run nerve-db restore latest --repo full/repo --to back.db
  expect_exit 0
  expect_equal "the content" "$(content shop.db)" "$(content back.db)"
  run nerve-db backup verify --all --repo full/repo --quiet
  expect_exit 0
  rm full/ballast
  run nerve-db backup --db shop.db --repo full/repo --quiet
  expect_exit 0
  run nerve-db backup verify --all --repo full/repo --quiet
  expect_exit 0
  umount full
else
  skip "needs the right to mount a small tmpfs"
fi

claim "a limit on the size of files ends a backup without a trace"
make_database shop.db
before=$(snapshot)
run bash -c 'ulimit -f 8; trap "" XFSZ; exec "$0" backup --db shop.db --repo repo' "$NERVE_DB_BIN"
[[ $code -ne 0 ]] || fail "the backup succeeded"
expect_stderr '^nerve-db: error: '
expect_equal "the number of backups" "" "$(find repo -name manifest.json 2>/dev/null)"
expect_equal "the database" "$(grep -F 'shop.db ' <<<"$before")" "$(snapshot | grep -F 'shop.db ')"

claim "a URL with another scheme is refused"
refused 2 'scheme mysql://' nerve-db stats --db mysql://root:hunter2@localhost/shop
expect_nowhere hunter2
refused 2 'scheme' nerve-db backup --db http://localhost/shop.db
refused 2 'names no file' nerve-db stats --db sqlite:
refused 2 'no // behind' nerve-db stats --db sqlite:///shop.db

claim "a malformed PostgreSQL URL is refused"
refused 2 'no // behind its scheme' nerve-db stats --db postgresql:/localhost/shop
refused 2 'port' nerve-db stats --db postgresql://localhost:port/shop
refused 2 'setting that is not known' nerve-db stats --db 'postgresql://localhost/shop?nonsense=1'
refused 2 'key=value' nerve-db stats --db 'host=localhost password=hunter2'
expect_nowhere hunter2

claim "a password in a URL is refused and never repeated"
refused 2 'holds a password' nerve-db stats --db postgresql://anna:hunter2@localhost/shop
expect_nowhere hunter2
run nerve-db stats --json --db postgresql://anna:hunter2@localhost/shop
expect_exit 2
expect_nowhere hunter2
refused 2 'password' nerve-db stats --db 'postgresql://localhost/shop?password=hunter2'
expect_nowhere hunter2
refused 2 'does not take' nerve-db stats postgresql://anna:hunter2@localhost/shop
expect_nowhere hunter2
refused 2 'no option --password' nerve-db stats --password=hunter2 --db shop.db
expect_nowhere hunter2

claim "an unreachable server is unavailable"
refused 7 'cannot connect|connect' timeout 60 "$NERVE_DB_BIN" stats --db 'postgresql://127.0.0.1:1/shop'

claim "health of an unreachable server is critical, and what could not be checked then is unknown"
run timeout 60 "$NERVE_DB_BIN" health --db 'postgresql://127.0.0.1:1/shop'
expect_exit 2
expect_stdout '^critical +postgresql\.open .*cannot connect'
expect_stdout '^unknown +postgresql\.connections +could not be checked: postgresql\.open failed$'
expect_equal "how often it is told" 1 "$(stdout | grep -c 'cannot connect')"
expect_equal "line ends that are written out" 0 "$(stdout | grep -c -F '\n' || true)"

claim "health with a password in the URL is used wrongly, and does not repeat it"
refused 3 'holds a password' nerve-db health --db 'postgresql://anna:hunter2@localhost/shop'
expect_nowhere hunter2

claim "a PostgreSQL server is not taken for a file"
for command in 'backup' 'optimize' 'restore latest'; do
  # shellcheck disable=SC2086  # The command and its operand are two words.
  refused 11 'PostgreSQL' nerve-db $command --db postgresql://localhost/shop
done

claim "an unknown flag is refused, with the one that was meant"
make_database shop.db
refused 2 'nerve-db stats has no option --jsno$' nerve-db stats --jsno --db shop.db
expect_stderr '^hint: Did you mean --json\?$'
refused 2 'no option -x$' nerve-db backup -x --db shop.db
refused 2 'nerve-db backup list has no option --deep$' nerve-db backup --deep list --repo repo

claim "an unknown command is refused, with the one that was meant"
refused 2 "unknown command 'bakcup'" nerve-db bakcup --db shop.db
expect_stderr "^hint: Did you mean 'nerve-db backup'\?$"
refused 2 "unknown command 'lst'" nerve-db backup lst
expect_stderr "^hint: Did you mean 'nerve-db backup list'\?$"
refused 2 'needs a command' nerve-db
refused 2 'nerve-db queries needs a command' nerve-db queries

claim "help of a command that does not exist is an error, not the help of another"
refused 2 "unknown command 'nosuch'" nerve-db nosuch --help
refused 2 "unknown command 'bakcup'" nerve-db bakcup --help
expect_stderr "^hint: Did you mean 'nerve-db backup'\?$"
refused 2 "unknown command 'lst'" nerve-db backup lst --help
refused 2 "unknown command 'nosuch'" nerve-db --version nosuch
run nerve-db backup --help
expect_exit 0

claim "a database given without --db is told where it belongs"
make_database shop.db
refused 2 "nerve-db stats does not take 'shop.db'" nerve-db stats shop.db
expect_stderr 'hint: .*--db shop\.db'
run nerve-db health shop.db
expect_exit 3
expect_stderr 'hint: .*--db shop\.db'

claim "a misspelled command is told from an operand too many"
refused 2 "unknown command 'verfy'" nerve-db convert verfy shop.db postgresql://localhost/shop
refused 2 "nerve-db convert does not take 'more'" nerve-db convert shop.db postgresql://localhost/shop more

claim "a command without any database says how to name one"
refused 2 'no database is named' nerve-db stats
refused 2 'no backup repository is named' nerve-db backup list

claim "values that are missing, empty, doubled or of the wrong kind are refused"
refused 2 'option --db needs a value' nerve-db stats --db
refused 2 'option --db is given an empty value' nerve-db stats --db= --quiet
refused 2 'given an empty value' nerve-db stats --db ''
refused 2 '--db is given more than once' nerve-db stats --db a.db --db b.db
refused 2 'option --quiet takes no value' nerve-db stats --quiet=yes
refused 2 '--limit must be a whole number from 1 to 1000' nerve-db queries slow --log queries.json --limit many
refused 2 '--limit must be a whole number' nerve-db queries slow --log queries.json --limit 0
refused 2 '--sort must be one of' nerve-db queries slow --log queries.json --sort totla
expect_stderr 'Did you mean total'
refused 2 'completions needs SHELL' nerve-db completions
refused 2 'SHELL must be one of bash, zsh, fish' nerve-db completions powershell

claim "bad TOML is refused with its line and column"
make_database shop.db
printf '[database]\nurl = "shop.db"\n[backup\n' >nerve.toml
chmod 600 nerve.toml
refused 2 'nerve\.toml:3:[0-9]+: not well-formed TOML' nerve-db stats
refused 2 'nerve\.toml:3:[0-9]+' nerve-db stats --db shop.db

claim "an unknown setting is refused with the one that was meant"
printf '[database]\nulr = "shop.db"\n' >nerve.toml
chmod 600 nerve.toml
refused 2 "nerve\.toml:2:1: unknown setting 'database.ulr'" nerve-db stats
expect_stderr "^hint: Did you mean 'database.url'"

claim "an unknown setting of a section is told what the section has, and a misspelt section which there is"
printf '[backup]\nrepo = "vault"\n' >nerve.toml
chmod 600 nerve.toml
refused 2 "nerve\.toml:2:1: unknown setting 'backup.repo'" nerve-db stats
expect_stderr "^hint: Did you mean 'backup.repository'\?$"
printf '[query_log]\nrotation = 5\n' >nerve.toml
refused 2 "unknown setting 'query_log.rotation'" nerve-db stats
expect_stderr '^hint: The section \[query_log\] has file and slow_ms\.$'
printf '[databse]\nurl = "shop.db"\n' >nerve.toml
refused 2 "nerve\.toml:1:2: unknown setting 'databse'" nerve-db stats
expect_stderr "^hint: Did you mean 'database'\?$"

claim "a setting of the wrong type or size is refused"
printf '[database]\npool_size = "eight"\n' >nerve.toml
chmod 600 nerve.toml
refused 2 "nerve\.toml:2:13: setting 'database.pool_size' must be an integer" nerve-db stats
printf '[database]\npool_size = 800\n' >nerve.toml
refused 2 'must be from 1 to 64' nerve-db stats

claim "settings that others may change are refused"
: >nerve.toml
chmod 666 nerve.toml
refused 5 'nerve\.toml.* can be changed by group or others' nerve-db stats
expect_stderr 'hint: Run: chmod go-w'

claim "a workspace without nerve.toml is not found"
refused 3 'there is no nerve\.toml in the workspace nowhere' nerve-db stats --workspace nowhere
refused 3 'there is no nerve\.toml' env NERVE_WORKSPACE=nowhere "$NERVE_DB_BIN" stats

claim "an unknown, ambiguous or impossible backup id is refused"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
refused 3 'there is no backup 00000000' nerve-db backup show 00000000 --repo repo
refused 2 'is not the id of a backup' nerve-db backup show newest --repo repo
twin="019aa5b0-0000-7000-8000-0000${id: -8}"
cp -r "repo/$id" "repo/$twin"
refused 4 "2 backups have an id that ends in ${id: -8}" nerve-db restore "${id: -8}" --repo repo --to copy.db

claim "a repository that is a file, another folder or missing is refused"
make_database shop.db
: >repo
refused 4 'repo is not a folder' nerve-db backup --db shop.db --repo repo
mkdir other
: >other/letter.txt
refused 4 'other .*is not a backup repository' nerve-db backup --db shop.db --repo other
refused 3 'there is no backup repository at' nerve-db backup list --repo nowhere

claim "a repository of a later format is not touched"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
echo '{"format": 2}' >repo/nerve-repository.json
refused 11 'format 2' nerve-db backup --db shop.db --repo repo
refused 11 'format 2' nerve-db restore latest --repo repo --to copy.db

claim "a corrupt manifest stops a restore"
make_database shop.db
id=$(nerve-db backup --db shop.db --repo repo 2>/dev/null)
echo '{' >"repo/$id/manifest.json"
refused 6 'manifest\.json' nerve-db restore "$id" --repo repo --to copy.db

claim "restore --to never overwrites"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
refused 4 'shop\.db exists already' nerve-db restore latest --repo repo --to shop.db
: >copy.db-wal
refused 4 'copy\.db-wal exists already' nerve-db restore latest --repo repo --to copy.db
refused 3 'there is no folder' nerve-db restore latest --repo repo --to nowhere/copy.db

claim "restore over a database needs --yes where nobody can be asked"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
refused 2 'must be confirmed' nerve-db restore latest --repo repo --db shop.db
expect_stderr '^hint: Add --yes'

claim "restore refuses while another process has the database open"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
exec {held}<shop.db
refused 4 'shop\.db is open in bash \(pid [0-9]+\)' nerve-db restore latest --repo repo --db shop.db --yes
exec {held}<&-

claim "an ID and --all together are refused"
make_database shop.db
nerve-db backup --db shop.db --repo repo --quiet >/dev/null
refused 2 'an ID and --all' nerve-db backup verify latest --all --repo repo

claim "a query log that is missing or something else is refused"
refused 3 'no query log at' nerve-db queries slow --log queries.json
printf '{"important": "letter"}' >letter.json
refused 2 'is not a query log' nerve-db queries stats --log letter.json
refused 2 'is not a query log' nerve-db queries clear --log letter.json --yes
refused 2 'no query log is named' nerve-db queries slow
