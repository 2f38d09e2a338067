#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scheduled backups beside what else there is: workspaces, second folders, drills, keys, health.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/cli/schedule_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/schedule_lib.sh"

# Every character that units, shells or crons treat in their own way, but for quotes in the program's path.
# shellcheck disable=SC2016  # Nothing is to be expanded.
odd_folder='50% of $HOME "and" '\''more'\'' \x41\\ ;&%% ä €'

claim "the settings of a workspace hold for its scheduled backups"
nerve-db init ws --quiet >/dev/null
sed -i '/^\[backup\]/a after = ["./told.sh", "an argument"]\nmetrics_file = "backups.prom"' ws/nerve.toml
# shellcheck disable=SC2016  # The hook expands it.
printf '#!/bin/sh\ncat >"%s/told" && echo "$1" >>"%s/told"\n' "$PWD" "$PWD" >ws/told.sh
chmod +x ws/told.sh
mkdir units
run nerve-db backup schedule --workspace ws --every 1h --units units
expect_exit 0
expect_equal "the folder of the commands" "WorkingDirectory=$PWD/ws" "$(grep ^WorkingDirectory units/*.service)"
(cd ws && run_units ../units/*.service >/dev/null 2>&1)
expect_equal "the argument" "an argument" "$(tail -1 told)"
[[ -s ws/backups.prom ]] || fail "there are no metrics"

claim "health warns of a promise that is missed, says how to mend it, and is silent where there is none"
make_healthy shop.db
run nerve-db health --db shop.db --json
expect_nowhere backup.schedule
nerve-db backup schedule --db shop.db --every 1h --units . --quiet >/dev/null
run nerve-db health --db shop.db
expect_stdout '^ok +backup.schedule .* a backup every 1 h is promised$'
sed -i 's/"since": "[^"]*"/"since": "2020-01-01T00:00:00.000000Z"/' shop.db.backups/schedule.json
rm -r shop.db.backups/0*
run nerve-db health --db shop.db
expect_exit 2
expect_stdout '^critical +backup.schedule '
expect_stdout '^to mend backup.schedule: systemctl (--user )?enable --now nerve-backup-shop\.timer && '

claim "--full-every makes a full where the last one is old, and not otherwise"
make_database shop.db
nerve-db backup --db shop.db --quiet >/dev/null
run nerve-db backup --db shop.db --full-every 1d
expect_stderr 'as a delta of '
refused 2 '--full and --full-every are both given' nerve-db backup --db shop.db --full --full-every 1d
refused 2 '--full-every must be a span from 1h' nerve-db backup --db shop.db --full-every 1m

claim "in a workspace both stores are scheduled, and the second folder is there by then but may be away later"
nerve-db init ws --quiet
mkdir units
for way in '--units units' --cron; do
  # shellcheck disable=SC2086
  refused 3 "the second folder for backups, $work/away, is not there" \
    nerve-db backup schedule --workspace ws --every 1h --also away $way
  expect_stderr "^hint: .*mkdir -m 0700 $work/away\.$"
done
mkdir away
run nerve-db backup schedule --workspace ws --every 1h --keep-daily 7 --also "$work/away" --units units
expect_exit 0
expect_equal "the command" 1 "$(grep -c "backup --workspace $work/ws --repo $work/ws/backups --also $work/away\$" units/*.service)"
expect_equal "what is pruned" 1 "$(grep -c "prune --workspace $work/ws --repo $work/ws/backups " units/*.service)"
expect_equal "what is pruned there" 1 "$(grep -c "prune --workspace $work/ws --repo $work/away " units/*.service)"
expect_equal "what may be written" 1 "$(grep -c "^ReadWritePaths=.*$work/ws .* -$work/away\$" units/*.service)"
if command -v systemd-analyze >/dev/null; then
  systemd-analyze verify units/*.service >analysis 2>&1 || fail "systemd-analyze: $(cat analysis)"
fi
run nerve-db backup schedule --db ws/nerve.db --every 1h --cron
expect_exit 0
expect_stdout "backup --db $work/ws/nerve\.db --repo"

claim "--drill-every tries a restore after the backup where the last is old enough, by the units and by cron"
make_database shop.db
mkdir units
run nerve-db backup schedule --db shop.db --every 1h --drill-every weekly --keep-last 5 --units units
expect_exit 0
verify_units units/nerve-backup-shop.service units/nerve-backup-shop.timer
expect_equal "the commands" 3 "$(grep -c ^ExecStart= units/nerve-backup-shop.service)"
run run_units units/nerve-backup-shop.service
expect_exit 0
first=$(nerve-db backup list --ids --db shop.db 2>/dev/null)
expect_equal "the proof" restore "$(json "shop.db.backups/$first/verified.json" '$.proof')"
sqlite3 -batch shop.db 'DELETE FROM album WHERE id = 1'
run run_units units/nerve-backup-shop.service
expect_exit 0
second=$(nerve-db backup list --ids --db shop.db 2>/dev/null | grep -v "$first")
[[ ! -e shop.db.backups/$second/verified.json ]] || fail "a drill was made that was not due"
rm "shop.db.backups/$first/verified.json"
nerve-db backup schedule --off --db shop.db --units units --quiet >/dev/null
run nerve-db backup schedule --cron --db shop.db --every 1h --drill-every weekly
expect_exit 0
run run_crontab "$(stdout)"
expect_exit 0
expect_equal "the proofs" 1 "$(find shop.db.backups -name verified.json | wc -l)"

claim "a schedule prunes the second folder, too, after all else, and its failure is none of the service"
make_database shop.db
mkdir units second
nerve-db backup schedule --db shop.db --every 1m --full hourly --keep-last 2 --drill-every weekly --also second --units units --quiet \
  >/dev/null
verify_units units/nerve-backup-shop.service units/nerve-backup-shop.timer
expect_equal "the last command" 1 "$(grep ^ExecStart= units/nerve-backup-shop.service | tail -1 |
  grep -c "^ExecStart=-:.* backup prune --db $PWD/shop.db --repo $PWD/second --keep-last 2 --wait 10m --yes\$")"
for step in 1 2 3 4 5; do
  sqlite3 -batch shop.db "DELETE FROM album WHERE id = $step"
  run run_units units/nerve-backup-shop.service
  expect_exit 0
done
for repo in shop.db.backups second; do
  # Two, and the full that they lead back to.
  expect_equal "the backups of $repo" 3 "$(nerve-db backup list --ids --repo $repo 2>/dev/null | wc -l)"
  run nerve-db backup verify --all --deep --repo $repo
  expect_exit 0
  run nerve-db restore latest --repo $repo --db shop.db --to $repo.db
  expect_exit 0
  cmp shop.db $repo.db || fail "another file was restored from $repo"
done
nerve-db backup schedule --off --db shop.db --units units --quiet >/dev/null
run nerve-db backup schedule --cron --db shop.db --every 1h --keep-last 1 --drill-every weekly --also second
expect_exit 0
expect_stdout " backup drill .* && $NERVE_DB_BIN backup prune --db $PWD/shop.db --repo $PWD/second --keep-last 1 "
run run_crontab "$(stdout)"
expect_exit 0
# The newest, the newest that is verified, and their full.
expect_equal "the backups of second" 3 "$(nerve-db backup list --ids --repo second 2>/dev/null | wc -l)"

claim "what is to be done about another schedule is told as a whole command"
make_database shop.db
mkdir units
nerve-db backup schedule --db shop.db --repo 'my repo' --every 1h --units units --quiet >/dev/null
refused 4 'is backed up by nerve-backup-shop.timer already' nerve-db backup schedule --db shop.db --repo 'my repo' --every 1h --cron
expect_stderr "^hint: Take that away first: nerve-db backup schedule --off --db $work/shop.db --repo '$work/my repo' --units DIR, where DIR is "
make_database two.db
refused 3 'no backups of .* are promised' nerve-db backup schedule --db two.db --repo 'my repo'
expect_stderr "^hint: Promise them: nerve-db backup schedule --every 1h --db $work/two.db --repo '$work/my repo'\.$"
refused 3 'no backups of .* are scheduled' nerve-db backup schedule --db two.db --repo 'my repo' --off --units units
expect_stderr "^hint: See what is promised: nerve-db backup schedule --db $work/two.db --repo '$work/my repo'\."
nerve-db init ws --quiet
nerve-db backup schedule --workspace ws --every 1h --units units --quiet >/dev/null
refused 4 'is backed up by .* already' nerve-db backup schedule --workspace ws --every 1h --cron
expect_stderr "^hint: Take that away first: nerve-db backup schedule --off --workspace $work/ws --repo $work/ws/backups --units DIR"

claim "what this machine has seen of a repository is found by the commands where XDG_STATE_HOME says"
make_database shop.db
mkdir units
keep=$XDG_STATE_HOME
for state in "$work/state" "$work/$odd_folder"; do
  export XDG_STATE_HOME=$state
  nerve-db backup schedule --db shop.db --every 1h --replace --units units --quiet >/dev/null
  verify_units units/nerve-backup-shop.service units/nerve-backup-shop.timer
  expect_equal "the variable" "XDG_STATE_HOME=$state" "$(environment_of units/nerve-backup-shop.service)"
  rm -rf "$state/nerve/backups"
  run run_units units/nerve-backup-shop.service
  expect_exit 0
  expect_equal "what is remembered" 1 "$(find "$state/nerve/backups" -name '*.json' | wc -l)"
  nerve-db backup schedule --off --db shop.db --units units --quiet >/dev/null
  rm -rf "$state/nerve/backups"
  run nerve-db backup schedule --db shop.db --every 1h --cron
  expect_exit 0
  run run_crontab "$(stdout)"
  expect_exit 0
  expect_equal "what is remembered" 1 "$(find "$state/nerve/backups" -name '*.json' | wc -l)"
  nerve-db backup schedule --off --db shop.db --units units --quiet >/dev/null
done
export XDG_STATE_HOME=$keep

claim "drills of encrypted backups are scheduled only with a folder for them, which the service may write to"
make_database shop.db
mkdir -m 0700 units scratch
(umask 077 && openssl rand -hex 32 >key)
refused 2 'no folder is named for that' \
  nerve-db backup schedule --db shop.db --every 1h --drill-every daily --key-file key --units units
refused 2 '--drill-scratch is given without --drill-every' \
  nerve-db backup schedule --db shop.db --every 1h --drill-scratch scratch --units units
refused 3 'the scratch folder .*/nowhere is not there' \
  nerve-db backup schedule --db shop.db --every 1h --drill-every daily --drill-scratch nowhere --units units
run nerve-db backup schedule --db shop.db --every 1h --drill-every daily --drill-scratch scratch --key-file key --units units
expect_exit 0
expect_equal "the folders" "ReadWritePaths=$PWD $PWD/shop.db.backups -$PWD/scratch" \
  "$(grep -m 1 ^ReadWritePaths= units/nerve-backup-shop.service)"
mkdir credentials
cp key credentials/nerve-backup-key
service_environment=("CREDENTIALS_DIRECTORY=$PWD/credentials")
run run_units units/nerve-backup-shop.service
service_environment=()
expect_exit 0
expect_equal "the proofs" 1 "$(find shop.db.backups -name verified.json | wc -l)"
expect_equal "what is left" '' "$(ls -A scratch)"
