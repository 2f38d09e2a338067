#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Values and records are checked from the command line by the rules of the library.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# with_input TEXT COMMAND... gives the text, in which printf's escapes are read, on standard input.
with_input() {
  local text=$1
  shift
  printf '%b' "$text" | "$@"
}

is_json() { sqlite3 -batch :memory: "SELECT json_valid(CAST(readfile('$1') AS TEXT))"; }

claim "values that are valid are written in their canonical form and order"
run nerve-db validate email Ada@Example.ORG '"a b"@example.net'
expect_exit 0
expect_equal "the addresses" $'Ada@example.org\n"a b"@example.net' "$(stdout)"
expect_equal "standard error" "" "$(cat "$test_root/err")"
run nerve-db validate domain BÜCHER.example. example.org
expect_equal "the names" $'xn--bcher-kva.example\nexample.org' "$(stdout)"
run nerve-db validate ip 2001:DB8:0::1 192.0.2.0/24
expect_equal "the addresses" $'2001:db8::1\n192.0.2.0/24' "$(stdout)"

claim "one that is not valid is told by its number, its rule and a message, and the rest is written all the same"
run nerve-db validate email ada@example.org nobody bob@example.net @example.org
expect_exit 2
expect_equal "the valid ones" $'ada@example.org\nbob@example.net' "$(stdout)"
expect_stderr '^value 2: email has no @ between a local part and a domain \(rule at_sign\)$'
expect_stderr '^value 4: email has nothing before its @ \(rule local_empty\)$'
expect_stderr '^nerve-db: error: not valid: 2 of 4 values$'
expect_hint
run nerve-db validate email ada@example.org nobody --quiet
expect_stderr '^value 2: '

claim "without operands values are lines of standard input, an empty line and a missing line end among them"
run with_input 'ada@example.org\r\n\nbob@example.net' nerve-db validate email
expect_exit 2
expect_equal "the valid ones" $'ada@example.org\nbob@example.net' "$(stdout)"
expect_stderr '^line 2: email is empty \(rule empty\)$'
run nerve-db validate email
expect_exit 0
expect_no_stdout

claim "a line is read up to its limit only, and the next one is read whole"
run with_input "$(printf '%05000d' 7)\n192.0.2.1\n" nerve-db validate ip
expect_exit 2
expect_stderr '^line 1: address is longer than 4096 bytes \(rule length\)$'
expect_equal "the next one" 192.0.2.1 "$(stdout)"

claim "neither values nor the names of fields drive the terminal"
run nerve-db validate email $'a\e[2Jb@example.org' $'\e'
expect_exit 2
expect_nowhere $'\e'
echo '{"fields": {}}' >rules.json
run with_input '{"\\u001b[2J": 1}' nerve-db validate record - --rules rules.json
expect_exit 2
expect_stderr 'rule unknown_field'
expect_nowhere $'\e'

claim "the options of the library are flags"
run nerve-db validate email 'ada@[192.0.2.1]' 'jürgen@example.org'
expect_exit 2
expect_no_stdout
run nerve-db validate email 'ada@[192.0.2.1]' 'jürgen@example.org' --allow-address-literal --allow-utf8-local
expect_exit 0
run nerve-db validate domain localhost
expect_exit 2
run nerve-db validate domain localhost --allow-single-label
expect_exit 0
run nerve-db validate ip 192.0.2.7/24
expect_exit 2
run nerve-db validate ip 192.0.2.7/24 --mask-host-bits
expect_equal "the network" 192.0.2.0/24 "$(stdout)"

claim "with --json each value has its input, and what is known of it"
run nerve-db validate ip 8.8.8.8 10.0.0.1 192.0.2.0/24 127.1 --json
expect_exit 2
cp "$test_root/out" ip.json
expect_equal "one document" 1 "$(is_json ip.json)"
expect_equal "the input" 127.1 "$(json ip.json '$.results[3].input')"
expect_equal "a global one" 1 "$(json ip.json '$.results[0].is_global')"
expect_equal "a private one" 'Private-Use' "$(json ip.json '$.results[1].special_block')"
expect_equal "a network" network "$(json ip.json '$.results[2].kind')"
expect_equal "its canonical form" 192.0.2.0/24 "$(json ip.json '$.results[2].canonical')"
expect_equal "what is not valid" 0 "$(json ip.json '$.results[3].valid')"
expect_equal "its rule" format "$(json ip.json '$.results[3].violations[0].rule')"
expect_equal "the counts" '4 1' "$(json ip.json '$.checked') $(json ip.json '$.invalid')"
expect_equal "the kind of the error" invalid "$(json "$test_root/err" '$.error.kind')"
expect_equal "the lines of standard error" 1 "$(wc -l <"$test_root/err")"
nerve-db validate domain BÜCHER.example --json >domain.json
expect_equal "the name for people" bücher.example "$(json domain.json '$.results[0].unicode')"

claim "values may be the names of commands, and what looks like an option follows two dashes"
run nerve-db validate domain health email domain --allow-single-label
expect_exit 0
expect_equal "the lines" 3 "$(stdout | wc -l)"
run nerve-db validate email -- -ada@example.org --json
expect_exit 2
expect_equal "the valid one" -ada@example.org "$(stdout)"
expect_stderr '^value 2: email '

claim "the help shows which operand repeats"
run nerve-db validate ip --help
expect_stdout '^Usage: nerve-db validate ip \[ADDRESS\.\.\.\] \[OPTIONS\]$'
expect_stdout '^  ADDRESS\.\.\.  '

claim "what does not repeat is still refused twice"
refused 2 '\-\-rules is given more than once' nerve-db validate record a.json --rules b.json --rules c.json
refused 2 "does not take 'b…'|does not take 'b.json'" nerve-db validate record a.json b.json --rules c.json

# The rules and records that the claims below are about.
write_users() {
  cat >rules.json <<'JSON'
{"fields": {"name": {"type": "name", "required": true, "length": [1, 20]},
            "email": {"type": "email"},
            "age": {"type": "integer", "range": [0, 150]},
            "tags": {"type": "list", "items": {"type": "slug"}}}}
JSON
  cat >users.jsonl <<'JSON'
{"name": " Ada   Lovelace ", "email": "Ada@Example.ORG"}

{"age": 151, "tags": ["a", "B"], "nick": "x"}
{"name": "Bob"
{"name": "Cy", "age": 5}
JSON
}

claim "JSON lines are checked one by one, with file, line, field and rule of everything that is wrong"
write_users
run nerve-db validate record users.jsonl --rules rules.json
expect_exit 2
expect_equal "the canonical records" $'{"email":"Ada@example.org","name":"Ada Lovelace"}\n{"age":5,"name":"Cy"}' "$(stdout)"
expect_stderr '^users\.jsonl:3: name is required \(rule required\)$'
expect_stderr '^users\.jsonl:3: age must be between 0 and 150 \(rule range\)$'
expect_stderr '^users\.jsonl:3: tags\[1\] must be lower-case .* \(rule slug\)$'
expect_stderr '^users\.jsonl:3: nick is not a field of this record \(rule unknown_field\)$'
expect_stderr '^users\.jsonl:4: record is not JSON at column 15: .* \(rule json\)$'
expect_stderr '^nerve-db: error: not valid: 2 of 4 records$'
expect_nowhere 151

claim "with --json each record has its line, its canonical form and its violations"
write_users
run nerve-db validate record users.jsonl --rules rules.json --json
expect_exit 2
cp "$test_root/out" report.json
expect_equal "one document" 1 "$(is_json report.json)"
expect_equal "a canonical form" 'Ada Lovelace' "$(json report.json '$.results[0].canonical.name')"
expect_equal "a line" 3 "$(json report.json '$.results[1].line')"
expect_equal "a field" 'tags[1]' "$(json report.json '$.results[1].violations[2].field')"
expect_equal "the counts" '4 2' "$(json report.json '$.checked') $(json report.json '$.invalid')"

claim "one object, on a line or on several, and an array of objects are read too"
write_users
echo '{"name": "Ada"}' >one.json
run nerve-db validate record one.json --rules rules.json
expect_exit 0
printf '\n{\n  "name": "Ada {\\"}",\n  "age": 200\n}\n' >lines.json
run nerve-db validate record lines.json --rules rules.json
expect_exit 2
expect_stderr '^lines\.json: age must be between'
printf '[{"name": "Ada"},\n {"name": ""}]' >array.json
run nerve-db validate record array.json --rules rules.json
expect_exit 2
expect_equal "the valid one" '{"name":"Ada"}' "$(stdout)"
expect_stderr '^array\.json\[1\]: name must not be empty \(rule name\)$'
nerve-db validate record array.json --rules rules.json --json >array.report 2>/dev/null
expect_equal "the index" 1 "$(json array.report '$.results[1].index')"
run with_input '{"name": "Ada"}\n{"name": 5}' nerve-db validate record - --rules rules.json
expect_exit 2
expect_stderr '^standard input:2: name must be text \(rule type\)$'

claim "a document that is not JSON is an error with its line, and nothing is written"
write_users
printf '\n[{"name": "Ada"},\n {"name": ]' >broken.json
refused 2 'broken\.json:3:11: not well-formed JSON' nerve-db validate record broken.json --rules rules.json
run nerve-db validate record broken.json --rules rules.json --json
expect_exit 2
expect_no_stdout

claim "what is too large is refused, and JSON lines are not"
write_users
sqlite3 -batch :memory: "SELECT '[' || char(10) || printf('%17000000d', 1) || ']'" >large.json
refused 2 'large\.json is larger than 16\.0 MiB' nerve-db validate record large.json --rules rules.json
sqlite3 -batch :memory: "SELECT '{\"name\": \"' || printf('%017000000d', 1) || '\"}'; SELECT printf('%17000000d', 1);
  SELECT '{\"name\": \"Ada\"}'" >large.jsonl
run bash -c 'cat <(echo "{\"name\": \"Cy\"}") large.jsonl | "$NERVE_DB_BIN" validate record - --rules rules.json'
expect_exit 2
expect_stderr '^standard input:2: record is longer than 16\.0 MiB \(rule length\)$'
expect_stderr '^standard input:3: record is longer than 16\.0 MiB \(rule length\)$'
expect_equal "the others" $'{"name":"Cy"}\n{"name":"Ada"}' "$(stdout)"

claim "a bad file of rules is told with its name and the path of each mistake"
write_users
echo '{"fields": {"age": {"type": "integer", "range": [9, 1]}, "name": {"typ": "name"}}}' >bad.json
refused 2 'rules file bad\.json: 2 fields are wrong$' nerve-db validate record users.jsonl --rules bad.json
expect_stderr '^  fields\.age\.range: must have its lower end first$'
expect_stderr '^  fields\.name\.typ: is not a field'
echo '{"fields": ' >bad.json
refused 2 'bad\.json:2:1: not well-formed JSON$' nerve-db validate record users.jsonl --rules bad.json
refused 2 'no rules are named' nerve-db validate record users.jsonl
refused 3 'there is no file missing\.json' nerve-db validate record users.jsonl --rules missing.json
refused 3 'there is no file missing\.json' nerve-db validate record missing.json --rules rules.json
mkdir folder
refused 2 'folder is a folder' nerve-db validate record folder --rules rules.json
