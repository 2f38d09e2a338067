# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal of its own and answers what it asks.

Usage: on_terminal.py [--first COMMAND] [PROMPT ANSWER]... -- COMMAND...

Each PROMPT is waited for and answered by ANSWER and a newline. Before the first answer the shell runs --first. Shows what
stood on the terminal, and ends with the exit code of the command; with 99 where a prompt does not come in 30 seconds.
"""
import os
import pty
import select
import subprocess
import sys
import time

words = sys.argv[1:]
cut = words.index("--")
steps, command, first = words[:cut], words[cut + 1:], None
if steps[:1] == ["--first"]:
    first, steps = steps[1], steps[2:]

child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)

shown, seen, deadline = b"", 0, time.monotonic() + 30
while time.monotonic() < deadline:
    if steps and shown.find(steps[0].encode(), seen) >= 0:
        seen = len(shown)
        if first:
            subprocess.run(["bash", "-c", first], check=False)
            first = None
        os.write(terminal, steps[1].encode() + b"\n")
        steps = steps[2:]
        deadline = time.monotonic() + 30
    if not select.select([terminal], [], [], 0.1)[0]:
        continue
    try:
        block = os.read(terminal, 4096)
    except OSError:  # how the end of the child is told
        break
    if not block:
        break
    shown += block

sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
if steps or time.monotonic() >= deadline:
    print(f"on_terminal: {'waited in vain for ' + steps[0] if steps else 'it did not end'}")
    os.kill(child, 9)
    os.waitpid(child, 0)
    sys.exit(99)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
