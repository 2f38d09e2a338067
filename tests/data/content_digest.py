#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes the digests of docs/content_digest.md, written from that page and independently of the C++ code.

The expected values in tests/backends/content_test.cpp come from here:  content_digest.py DATABASE
"""
import hashlib
import sqlite3
import struct
import sys


def count(number):
    return struct.pack(">Q", number)


def octets(data):
    return count(len(data)) + data


def text(value):
    return octets(value.encode() if isinstance(value, str) else value)


def value(storage, content):
    if storage == "null":
        return b"\0"
    if storage == "integer":
        return b"\1" + struct.pack(">q", content)
    if storage == "real":
        return b"\2" + struct.pack(">d", content)
    return (b"\3" if storage == "text" else b"\4") + octets(content)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def digest(connection, name, columns, rowid, order, source):
    digested = ([rowid] if rowid else []) + [quoted(column) for column in columns]
    # Text is fetched as bytes, so that what is not UTF-8 and what holds NUL comes through.
    cells = ", ".join(f"typeof({cell}), {cell}" for cell in digested)
    data = hashlib.sha256(text("nerve content digest 1: table") + text(name) + (b"\1" if rowid else b"\0"))
    data.update(count(len(columns)) + b"".join(text(column) for column in columns))
    rows = 0
    for row in connection.execute(f"SELECT {cells} FROM {source} ORDER BY {order}"):
        rows += 1
        for index in range(0, len(row), 2):
            data.update(value(row[index].decode(), row[index + 1]))
    data.update(count(rows))
    return name, rows, data.hexdigest()


def table_digest(connection, name, without_rowid):
    listed = connection.execute("SELECT name, pk, hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()
    names = [column.decode() for column, _, hidden in listed if hidden in (0, 3)]
    taken = {column.decode().lower() for column, _, _ in listed}
    free = [alias for alias in ("rowid", "_rowid_", "oid") if alias not in taken]
    rowid = free[0] if free and not without_rowid else None
    if rowid:
        order = rowid
    elif without_rowid:
        key = sorted((pk, column.decode()) for column, pk, _ in listed if pk > 0)
        order = ", ".join(quoted(column) + " COLLATE BINARY" for _, column in key)
    else:
        order = ", ".join(f"{quoted(column)} COLLATE BINARY, typeof({quoted(column)})" for column in names)
    return digest(connection, name, names, rowid, order, quoted(name))


def main():
    connection = sqlite3.connect(f"file:{sys.argv[1]}?immutable=1", uri=True)
    connection.text_factory = bytes
    digests = [digest(connection, "sqlite_schema", ["type", "name", "tbl_name", "sql"], None,
                      "type COLLATE BINARY, name COLLATE BINARY, tbl_name COLLATE BINARY", "sqlite_schema")]
    tables = connection.execute(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND name <> 'sqlite_schema' "
        "AND type IN ('table', 'shadow')").fetchall()
    for name, without_rowid in sorted(tables):
        digests.append(table_digest(connection, name.decode(), without_rowid))
    whole = text("nerve content digest 1: database") + count(len(digests))
    for name, rows, sha256 in digests:
        print(name, rows, sha256)
        whole += text(name) + octets(bytes.fromhex(sha256))
    print(hashlib.sha256(whole).hexdigest())


if __name__ == "__main__":
    main()
