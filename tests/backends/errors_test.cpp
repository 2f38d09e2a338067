// SPDX-License-Identifier: Apache-2.0
#include "nerve/backends/sqlite/errors.h"

#include "support/temp_folder.h"

#include "nerve/core/error.h"

#include <doctest/doctest.h>

using nerve::ErrorKind;
using nerve::sqlite::code_name;
using nerve::sqlite::throw_sqlite_error;

TEST_CASE("codes have the names of https://www.sqlite.org/rescode.html") {
  CHECK(code_name(0) == "SQLITE_OK");
  CHECK(code_name(11) == "SQLITE_CORRUPT");
  CHECK(code_name(101) == "SQLITE_DONE");
  CHECK(code_name(517) == "SQLITE_BUSY_SNAPSHOT");
  CHECK(code_name(787) == "SQLITE_CONSTRAINT_FOREIGNKEY");
  CHECK(code_name(1555) == "SQLITE_CONSTRAINT_PRIMARYKEY");
  CHECK(code_name(2067) == "SQLITE_CONSTRAINT_UNIQUE");
  CHECK(code_name(776) == "SQLITE_READONLY_ROLLBACK");
  CHECK(code_name(8458) == "SQLITE_IOERR_CORRUPTFS");
}

TEST_CASE("an extended code of a later SQLite has the name of its primary code") {
  CHECK(code_name(11 | 99 << 8) == "SQLITE_CORRUPT");
  CHECK(code_name(200) == "SQLITE_UNKNOWN");
}

TEST_CASE("each code becomes the kind of error that a caller can act on") {
  const nerve::test::TempFolder folder;
  const auto kind_of = [&](int code) {
    try {
      throw_sqlite_error(code, "cannot read", folder / "none.db");
    } catch (const nerve::Error& error) {
      return error.kind();
    }
  };
  CHECK(kind_of(11) == ErrorKind::integrity);    // CORRUPT
  CHECK(kind_of(26) == ErrorKind::integrity);    // NOTADB
  CHECK(kind_of(8458) == ErrorKind::integrity);  // IOERR_CORRUPTFS
  CHECK(kind_of(5) == ErrorKind::unavailable);   // BUSY
  CHECK(kind_of(6) == ErrorKind::unavailable);   // LOCKED
  CHECK(kind_of(13) == ErrorKind::unavailable);  // FULL
  CHECK(kind_of(8) == ErrorKind::denied);        // READONLY
  CHECK(kind_of(3) == ErrorKind::denied);        // PERM
  CHECK(kind_of(23) == ErrorKind::denied);       // AUTH
  CHECK(kind_of(14) == ErrorKind::not_found);    // CANTOPEN of a file that is not there
  CHECK(kind_of(2067) == ErrorKind::conflict);   // CONSTRAINT_UNIQUE
  CHECK(kind_of(9) == ErrorKind::cancelled);     // INTERRUPT
  CHECK(kind_of(10) == ErrorKind::failure);      // IOERR
  CHECK(kind_of(7) == ErrorKind::failure);       // NOMEM
}

TEST_CASE("a message names what was tried, the file and the code") {
  try {
    throw_sqlite_error(1546, "cannot read", "/nowhere/a.db");
  } catch (const nerve::DatabaseError& error) {
    CHECK(std::string(error.what()) == "cannot read /nowhere/a.db: disk I/O error (SQLITE_IOERR_TRUNCATE)");
    CHECK(error.code() == "SQLITE_IOERR_TRUNCATE");
  }
}
