#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scheduled backups: units of systemd, crontab lines, and promises.
#
# What a unit or a crontab means is not asked of nerve-db: python3 reads the lines as systemd.syntax(7) and crontab(5) say,
# systemd-analyze verifies the units where it is there, and the commands that come out are run.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cli/schedule_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/schedule_lib.sh"

# Every character that units, shells or crons treat in their own way, but for quotes in the program's path.
# shellcheck disable=SC2016  # Nothing is to be expanded.
odd_folder='50% of $HOME "and" '\''more'\'' \x41\\ ;&%% ä €'

claim "a schedule is a service and a timer that systemd takes, and a promise that is shown"
make_database shop.db
mkdir units
run nerve-db backup schedule --db shop.db --every 15m --full daily --keep-last 9 --keep-daily 7 --units units
expect_exit 0
expect_stdout "^written: $PWD/units/nerve-backup-shop.service$"
expect_stdout "^written: $PWD/units/nerve-backup-shop.timer$"
expect_stdout "^promised: a backup of $PWD/shop.db every 15 min, a full every 1 d$"
expect_stdout "^start it: systemctl (--user )?link .* && systemctl (--user )?daemon-reload && systemctl (--user )?enable --now nerve-backup-shop\.timer$"
verify_units units/nerve-backup-shop.service units/nerve-backup-shop.timer
run cat units/nerve-backup-shop.timer
expect_stdout '^OnCalendar=\*:0/15$'
expect_stdout '^Persistent=true$'
expect_stdout '^WantedBy=timers.target$'
run cat units/nerve-backup-shop.service
expect_stdout '^Type=oneshot$'
expect_stdout '^NoNewPrivileges=yes$'
expect_stdout '^ProtectSystem=strict$'
expect_stdout "^ReadWritePaths=$PWD $PWD/shop.db.backups$"
# The service would not see a database, nor the program itself, in the /tmp of others.
in_tmp=$([[ " $PWD $NERVE_DB_BIN" == *" "/tmp/* || " $PWD $NERVE_DB_BIN" == *" "/var/tmp/* ]] && echo 1 || echo 0)
expect_equal "having a /tmp of its own" "$((1 - in_tmp))" "$(grep -c ^PrivateTmp=yes units/nerve-backup-shop.service)"
expect_equal "the mode" 644 "$(stat -c %a units/nerve-backup-shop.service)"
run nerve-db backup schedule --db shop.db
expect_stdout '^kept +kept$'
expect_stdout '^newest backup +none yet$'
run nerve-db backup schedule --db shop.db --json
stdout >show.json
expect_equal "the interval" 900 "$(json show.json '$.interval_s')"
expect_equal "the interval of fulls" 86400 "$(json show.json '$.full_interval_s')"
expect_equal "the unit" nerve-backup-shop.timer "$(json show.json '$.unit')"
expect_equal "the mode" 600 "$(stat -c %a shop.db.backups/schedule.json)"

claim "the commands of the service make backups and prune them"
make_database shop.db
mkdir units
nerve-db backup schedule --db shop.db --every 1m --full hourly --keep-last 2 --units units --quiet >/dev/null
for step in 1 2 3 4; do
  sqlite3 -batch shop.db "DELETE FROM album WHERE id = $step"
  run run_units units/nerve-backup-shop.service
  expect_exit 0
done
# Two, and the full that they lead back to.
expect_equal "the backups" 3 "$(nerve-db backup list --ids --db shop.db 2>/dev/null | wc -l)"
run nerve-db restore latest --db shop.db --to copy.db
cmp shop.db copy.db || fail "another file was restored"
run nerve-db backup schedule --db shop.db
expect_stdout '^newest backup +[0-9a-f]{8} of '

claim "a database whose path holds whatever a path may hold is backed up by its units and by its crontab line"
mkdir -p "$odd_folder" units
make_database "$odd_folder/my % \"shop\".db"
printf '#!/bin/sh\nexit 0\n' >"$odd_folder/hook % \$1.sh"
chmod +x "$odd_folder/hook % \$1.sh"
(umask 077 && echo 'correct horse' >"$odd_folder/pass % word")
run nerve-db backup schedule --db "$odd_folder/my % \"shop\".db" --repo "$odd_folder/re%po" --every 1h --units units \
  --before "$odd_folder/hook % \$1.sh" --metrics "$odd_folder/m%.prom" --passphrase-file "$odd_folder/pass % word" --keep-last 3
expect_exit 0
[[ -f 'units/nerve-backup-my\x20\x25\x20\x22shop\x22.service' ]] || fail "the unit has another name: $(ls units)"
verify_units 'units/nerve-backup-my\x20\x25\x20\x22shop\x22.service' 'units/nerve-backup-my\x20\x25\x20\x22shop\x22.timer'
mkdir credentials
cp "$odd_folder/pass % word" credentials/nerve-backup-passphrase
service_environment=("CREDENTIALS_DIRECTORY=$PWD/credentials")
run run_units units/*.service
expect_exit 0
service_environment=()
expect_equal "the backups" 1 "$(nerve-db backup list --ids --repo "$odd_folder/re%po" 2>/dev/null | wc -l)"
[[ -f "$odd_folder/m%.prom" ]] || fail "there are no metrics"
expect_equal "the key file in the unit" "LoadCredential=nerve-backup-passphrase:$PWD/${odd_folder//%/%%}/pass %% word" \
  "$(grep ^LoadCredential= units/*.service)"
nerve-db backup schedule --off --db "$odd_folder/my % \"shop\".db" --repo "$odd_folder/re%po" --units units --quiet >/dev/null
refused 2 'characters long, and cron takes 998' \
  nerve-db backup schedule --cron --db "$odd_folder/my % \"shop\".db" --repo "$odd_folder/re%po" --every 1h \
  --before "$odd_folder/hook % \$1.sh" --metrics "$odd_folder/m%.prom" --passphrase-file "$odd_folder/pass % word" --keep-last 3
run nerve-db backup schedule --cron --db "$odd_folder/my % \"shop\".db" --repo "$odd_folder/re%po" --every 1h \
  --before "$odd_folder/hook % \$1.sh" --passphrase-file "$odd_folder/pass % word"
expect_exit 0
line=$(stdout)
expect_equal "the fields" '0 * * * *' "${line:0:9}"
run run_crontab "$line"
expect_exit 0
expect_equal "the backups" 3 "$(nerve-db backup list --ids --repo "$odd_folder/re%po" 2>/dev/null | wc -l)"

claim "units of databases with one name are told apart, and name what they are of as systemd-escape does"
mkdir a b units
make_database a/shop.db
make_database b/shop.db
make_database 'a/Kunden Daten ü.db'
nerve-db backup schedule --db a/shop.db --every 1h --units units --quiet >/dev/null
nerve-db backup schedule --db b/shop.db --every 1h --units units --quiet >/dev/null
expect_equal "the timers" 2 "$(find units -name 'nerve-backup-shop*.timer' | wc -l)"
hash=$(printf %s "$PWD/b/shop.db" | sha256sum | cut -c 1-8)
[[ -f units/nerve-backup-shop-$hash.timer ]] || fail "there is no nerve-backup-shop-$hash.timer"
run nerve-db backup schedule --db b/shop.db --every 1h --units units
expect_stdout "^unchanged: .*-$hash.timer$"
nerve-db backup schedule --db 'a/Kunden Daten ü.db' --every 1h --units units --quiet >/dev/null
if command -v systemd-escape >/dev/null; then
  [[ -f units/nerve-backup-$(systemd-escape 'Kunden Daten ü').timer ]] || fail "the unit has another name"
fi
run nerve-db backup schedule --off --db b/shop.db --units units
expect_exit 0
[[ -f units/nerve-backup-shop.timer ]] || fail "the timer of the other database was removed"

claim "a second run changes nothing, and units that differ are replaced only with --replace"
make_database shop.db
mkdir units
nerve-db backup schedule --db shop.db --every 1h --units units --quiet >/dev/null
before=$(snapshot_of units)
run nerve-db backup schedule --db shop.db --every 1h --units units
expect_exit 0
expect_stdout '^unchanged: .*\.service$'
expect_equal "the units" "$before" "$(snapshot_of units)"
refused 4 'nerve-backup-shop\.timer is there and differs: - .* every 1h, .*, \+ .* every 1d' \
  nerve-db backup schedule --db shop.db --every 1d --units units
run nerve-db backup schedule --db shop.db --every 1d --units units --replace
expect_exit 0
expect_stdout '^replaced: .*\.timer$'
expect_equal "the interval" 86400 "$(json shop.db.backups/schedule.json '$.promises[0].interval_s')"

claim "a unit that somebody else wrote is neither replaced nor removed"
make_database shop.db
mkdir units
echo '[Timer]' >units/nerve-backup-shop.timer
refused 4 'did not write it' nerve-db backup schedule --db shop.db --every 1h --units units --repo repo
refused 4 'did not write it' nerve-db backup schedule --db shop.db --every 1h --units units --repo repo --replace
refused 3 'no backups of .* are scheduled' nerve-db backup schedule --db shop.db --off --units units --repo repo

claim "--off wants the timer disabled first, removes what was written, and withdraws the promise"
make_database shop.db
mkdir -p units/timers.target.wants
nerve-db backup schedule --db shop.db --every 1h --units units --quiet >/dev/null
ln -s ../nerve-backup-shop.timer units/timers.target.wants/nerve-backup-shop.timer
refused 4 'is enabled still' nerve-db backup schedule --db shop.db --off --units units
expect_stderr '^hint: First run: systemctl (--user )?disable --now nerve-backup-shop\.timer$'
rm units/timers.target.wants/nerve-backup-shop.timer
run nerve-db backup schedule --db shop.db --off --units units
expect_exit 0
expect_stdout '^then run: systemctl (--user )?stop nerve-backup-shop\.timer; systemctl (--user )?daemon-reload$'
expect_equal "the units" "" "$(find units -type f)"
refused 3 'no backups of .* are promised' nerve-db backup schedule --db shop.db
run nerve-db health --db shop.db
expect_nowhere backup.schedule

claim "the folder of the user's units is made where it is not there, and begins at XDG_CONFIG_HOME, then HOME"
make_database shop.db
if can_be_stranger && [[ $EUID -ne 0 ]]; then
  run env XDG_CONFIG_HOME="$PWD/config" "$NERVE_DB_BIN" backup schedule --db shop.db --every 1h
  expect_exit 0
  [[ -f config/systemd/user/nerve-backup-shop.timer ]] || fail "there is no timer"
  expect_stdout '^start it: systemctl --user daemon-reload && systemctl --user enable --now nerve-backup-shop\.timer$'
  expect_stdout 'loginctl enable-linger$'
else
  chmod 0777 .
  chmod 0755 "$test_root"
  as_stranger mkdir mine
  as_stranger cp shop.db mine 2>/dev/null || { chmod 0644 shop.db && as_stranger cp shop.db mine; }
  run as_stranger env HOME="$PWD/mine" "$NERVE_DB_BIN" backup schedule --db mine/shop.db --every 1h
  expect_exit 0
  [[ -f mine/.config/systemd/user/nerve-backup-shop.timer ]] || fail "there is no timer"
  expect_stdout '^start it: systemctl --user daemon-reload && systemctl --user enable --now nerve-backup-shop\.timer$'
  expect_stdout 'loginctl enable-linger$'
fi

claim "a folder called systemd/user or systemd/system says for whom its units are"
make_database shop.db
mkdir -p systemd/user systemd/system
run nerve-db backup schedule --db shop.db --every 1h --units systemd/user
expect_stdout '^start it: systemctl --user daemon-reload && '
run nerve-db backup schedule --db shop.db --every 1h --units systemd/system
expect_stdout '^start it: systemctl daemon-reload && systemctl enable --now nerve-backup-shop\.timer$'
expect_equal "who starts it" system_timer "$(json shop.db.backups/schedule.json '$.promises[0].starter')"

claim "cron is given what it can express, and the rest is refused with what it can"
make_database shop.db
for pair in '1m=* * * * *' '5m=*/5 * * * *' '1h=0 * * * *' '6h=0 */6 * * *' 'daily=0 0 * * *' 'weekly=0 0 * * 1'; do
  run nerve-db backup schedule --db shop.db --cron --every "${pair%%=*}"
  expect_exit 0
  expect_equal "the fields of ${pair%%=*}" "${pair#*=}" "$(stdout | sed "s| export XDG_STATE_HOME=.*||")"
done
for every in 7m 90m 5h 2d 90s; do
  refused 2 'cron cannot start something every' nerve-db backup schedule --db shop.db --cron --every $every
  expect_stderr '^hint: It can every 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 minutes'
done
refused 2 '--cron writes no units' nerve-db backup schedule --db shop.db --cron --every 1h --units .
run nerve-db backup schedule --db shop.db --every 90m --units .
expect_exit 0
expect_stderr 'warning: cron was to make these backups: remove its line'
run cat nerve-backup-shop.timer
expect_stdout '^OnUnitActiveSec=5400s$'
expect_stdout '^OnBootSec=1min$'
refused 4 'is backed up by nerve-backup-shop\.timer already' nerve-db backup schedule --db shop.db --cron --every 1h

claim "calendar expressions mean the interval to systemd"
make_database shop.db
if command -v systemd-analyze >/dev/null; then
  for pair in 1m=60 15m=900 1h=3600 6h=21600 12h=43200 1d=86400 1w=604800; do
    nerve-db backup schedule --db shop.db --every "${pair%%=*}" --units . --replace --quiet >/dev/null
    expression=$(sed -n 's/^OnCalendar=//p' nerve-backup-shop.timer)
    mapfile -t times < <(systemd-analyze calendar --iterations=2 --base-time='2026-01-01 00:00:01 UTC' "$expression" |
      sed -nE 's/.*(Next elapse|Iteration #2|Iter\. #2): //p')
    expect_equal "the seconds between two runs of ${pair%%=*}" "${pair#*=}" \
      "$(($(date -d "${times[1]}" +%s) - $(date -d "${times[0]}" +%s)))"
  done
else
  skip "needs systemd-analyze"
fi

claim "what cannot be scheduled is refused, and nothing is written"
make_database shop.db
for span in 0 0m 1x 59s 367d 99999999999d -1m '1 h'; do
  refused 2 '--every must be a span from 1m to 366d' nerve-db backup schedule --db shop.db --every="$span" --units .
done
refused 2 '--full must be a span' nerve-db backup schedule --db shop.db --every 1h --full monthly --units .
refused 2 'a full every 1h cannot come from a backup every 1d' nerve-db backup schedule --db shop.db --every 1d --full 1h --units .
refused 2 '--full stands before the command schedule' nerve-db backup --full schedule --db shop.db --every 1h --units .
refused 3 'missing\.db' nerve-db backup schedule --db missing.db --every 1h --units .
refused 3 'the folder .*/nowhere is not there' nerve-db backup schedule --db shop.db --every 1h --units nowhere
refused 4 'shop\.db is not a folder' nerve-db backup schedule --db shop.db --every 1h --units shop.db
refused 4 'shop\.db is not a folder' nerve-db backup schedule --db shop.db --every 1h --units . --repo shop.db
refused 2 '--keep-last is given with no --every' nerve-db backup schedule --db shop.db --keep-last 3
refused 2 '--every is given with --off' nerve-db backup schedule --db shop.db --every 1h --off
refused 2 'nothing says which backups are to be kept' nerve-db backup schedule --db shop.db --every 1h --keep-safety 3 --units .
refused 3 '--before names a program that is not there' nerve-db backup schedule --db shop.db --every 1h --units . --before ./nope
refused 3 '--before names a program that is not there' nerve-db backup schedule --db shop.db --every 1h --units . --before nope-nope
refused 5 '--after names a program that cannot be executed' nerve-db backup schedule --db shop.db --every 1h --units . --after ./shop.db
refused 3 'the folder of the metrics, .*/nowhere, is not there' \
  nerve-db backup schedule --db shop.db --every 1h --units . --metrics nowhere/m.prom
mkdir $'new\nline'
make_database $'new\nline/shop.db'
refused 2 'holds characters that a unit or a crontab cannot' nerve-db backup schedule --db $'new\nline/shop.db' --every 1h --units .
refused 11 'a PostgreSQL server was named' nerve-db backup schedule --db postgresql://localhost/app --every 1h --units .

claim "backups that are encrypted are scheduled only with a file of the key, which the service gets as a credential"
make_database shop.db
(umask 077 && echo 'correct horse' >pass && openssl rand -hex 32 >key)
nerve-db backup --db shop.db --passphrase-file pass --quiet >/dev/null
refused 2 'are encrypted, and nobody can be asked' env NERVE_PASSPHRASE='correct horse' "$NERVE_DB_BIN" backup schedule --db shop.db --every 1h --units .
refused 3 'nowhere' nerve-db backup schedule --db shop.db --every 1h --units . --passphrase-file nowhere
refused 2 'both given' nerve-db backup schedule --db shop.db --every 1h --units . --passphrase-file pass --key-file key
run nerve-db backup schedule --db shop.db --every 1h --units . --passphrase-file pass
expect_exit 0
run grep LoadCredential nerve-backup-shop.service
expect_stdout "^LoadCredential=nerve-backup-passphrase:$PWD/pass$"
expect_nowhere 'correct horse'
if grep -q -- '--passphrase-file' nerve-backup-shop.service; then fail "the file is named to the command"; fi

claim "a credential is taken before NERVE_PASSPHRASE and after the options, and encrypts the first backup"
make_database shop.db
mkdir credentials
(umask 077 && openssl rand -hex 32 >key && cp key credentials/nerve-backup-key)
# As the access list of a service's user shows it.
chmod 0440 credentials/nerve-backup-key
export CREDENTIALS_DIRECTORY=$PWD/credentials
nerve-db backup --db shop.db --quiet >/dev/null
run env NERVE_PASSPHRASE=wrong "$NERVE_DB_BIN" backup --db shop.db
expect_exit 0
run nerve-db restore latest --db shop.db --to copy.db
expect_exit 0
cmp shop.db copy.db || fail "another file was restored"
(umask 077 && echo wrong >wrong)
refused 5 'another|not the key|key file' nerve-db backup --db shop.db --passphrase-file wrong
run nerve-db backup list --db shop.db
expect_equal "the encrypted ones" 2 "$(stdout | grep -c encrypted)"
cp wrong credentials/nerve-backup-passphrase
refused 2 'are both given' nerve-db backup --db shop.db
unset CREDENTIALS_DIRECTORY
run nerve-db restore latest --db shop.db --to other.db --key-file key
expect_exit 0
