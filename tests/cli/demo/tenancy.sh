# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the examples of the module work on: the tenant acme, and the deleted tenant gone. $1 is the workspace.
for name in Acme Gone; do nerve-db tenant create $name --workspace "$1" --quiet >/dev/null; done
nerve-db tenant delete gone --yes --workspace "$1" --quiet >/dev/null
