# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the examples of the module work on: the tenant acme with two members, and the removed tenant gone. $1 is the workspace.
for name in Acme Gone; do nerve-db tenant create $name --seats 10 --workspace "$1" --quiet >/dev/null; done
for user in 01a1ff19-c530-7703-a60e-7aebf872e0b4 01a1ff19-c530-7703-a60e-7aebf872e0b5; do
  nerve-db tenant member add $user --tenant acme --workspace "$1" --quiet >/dev/null
done
nerve-db tenant remove gone --yes --workspace "$1" --quiet >/dev/null
