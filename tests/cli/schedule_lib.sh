# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # lib.sh, which comes first, sets what is used here.
# What the tests of scheduled backups share: how units and crontab lines are read and run. After lib.sh.


# exec_lines FILE... shows the words of each ExecStart= as JSON, one line a command, as systemd reads them.
exec_lines() {
  python3 - "$@" <<'PYTHON'
import json, re, sys
def words(line):
    found, word, quoted, escaped = [], None, False, False
    for c in line:
        if escaped:
            assert c in '\\"', 'an escape that is not one of \\\\ and \\"'
            word, escaped = word + c, False
        elif c == '\\':
            assert quoted
            escaped = True
        elif c == '"':
            quoted, word = not quoted, word or ''
        elif c == ' ' and not quoted:
            if word is not None: found.append(word)
            word = None
        else:
            word = (word or '') + c
    assert not quoted
    if word is not None: found.append(word)
    return found
def specifiers(word):
    assert not re.search('%', word.replace('%%', '')), 'a specifier: ' + word
    return word.replace('%%', '%')
for name in sys.argv[1:]:
    for line in open(name, encoding='utf-8').read().split('\n'):
        key, _, value = line.partition('=')
        if key != 'ExecStart': continue
        # A failure of a command with "-" is ignored.
        value = value.removeprefix('-')
        assert value[0] == ':', 'variables would be replaced'
        print(json.dumps([specifiers(w) for w in words(value[1:])]))
PYTHON
}

# environment_of FILE shows what Environment= of a service sets, in one word.
environment_of() {
  python3 - "$1" <<'PYTHON'
import re, sys
for line in open(sys.argv[1], encoding='utf-8').read().split('\n'):
    key, _, value = line.partition('=')
    if key != 'Environment': continue
    if value[0] == '"': value = re.sub(r'\\(.)', r'\1', value[1:-1])
    assert not re.search('%', value.replace('%%', '')), 'a specifier'
    print(value.replace('%%', '%'))
PYTHON
}

# run_units FILE... runs the commands of services, as systemd would.
run_units() {
  exec_lines "$@" | python3 -c '
import json, subprocess, sys
for line in sys.stdin:
    subprocess.run(json.loads(line), check=True, env={"PATH": "/usr/bin:/bin", **dict(p.split("=", 1) for p in sys.argv[1:] if p)})' \
    "$(environment_of "$1")" ${service_environment[@]+"${service_environment[@]}"}
}
service_environment=()

# run_crontab LINE runs the command of a crontab line, once as a cron does that takes \\ for a backslash (Debian's) and
# once as one that does not (cronie).
run_crontab() {
  python3 - "$1" <<'PYTHON'
import subprocess, sys
command = sys.argv[1].split(' ', 5)[5]
def parsed(command, halves_backslashes):
    out, i = '', 0
    while i < len(command):
        c = command[i]
        if c == '\\' and i + 1 < len(command):
            n = command[i + 1]
            out += n if n == '%' or (n == '\\' and halves_backslashes) else c + n
            i += 2
        elif c == '%':
            sys.exit('cron would end the command at %')
        else:
            out, i = out + c, i + 1
    return out
for halves in (True, False):
    result = subprocess.run(['/bin/sh', '-c', parsed(command, halves)], env={'PATH': '/usr/bin:/bin'}, capture_output=True)
    if result.returncode or result.stdout or result.stderr:
        sys.exit(f'{result.returncode} {result.stdout} {result.stderr}')
PYTHON
}

verify_units() {
  if command -v systemd-analyze >/dev/null; then
    run systemd-analyze verify "$@"
    expect_exit 0
    expect_equal "the complaints of systemd-analyze" "" "$(cat "$test_root/err")"
  else
    skip "needs systemd-analyze"
  fi
}
