// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/database.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace nerve {

/// How a database is opened. What does not concern the engine of the URL is not looked at.
struct OpenOptions {
  db::DatabaseOptions database = {};

  bool read_only = false;

  // SQLite
  bool create = false;           ///< make the file (mode 0600) where it is missing
  bool wal = true;               ///< put the file into WAL mode when it is not yet
  bool synchronous_full = true;  ///< sync at every commit; false loses the last ones on power failure
  std::chrono::milliseconds busy_timeout{5'000};  ///< how long to wait for the lock of another process

  // PostgreSQL
  std::chrono::milliseconds statement_timeout{0};  ///< 0: none
  std::chrono::milliseconds lock_timeout{10'000};  ///< 0: none
  std::chrono::seconds connect_timeout{10};
  /// In the format of .pgpass; empty: PGPASSWORD, PGPASSFILE, ~/.pgpass.
  std::filesystem::path password_file = {};
};

/// Opens `sqlite:PATH`, a bare path, or `postgresql://[user@]host[:port][,host2…]/database[?setting=value…]`.
///
/// A password inside the URL is refused. Hosts other than the local machine default to sslmode=verify-full.
/// Several hosts are tried in their order until one fits target_session_attrs. No connection is made before
/// the first transaction, except that an SQLite file is looked at.
///
/// Throws ValidationError (a URL that cannot be read), NotFoundError, DeniedError, IntegrityError (not a
/// database).
std::unique_ptr<db::Database> open_database(std::string_view url, const OpenOptions& options = {});

/// An empty SQLite database in memory, of one connection. It is gone with the returned object, and also when
/// that connection fails for good: then what follows meets an empty one.
std::unique_ptr<db::Database> open_scratch_database();

/// An empty database for the replay of the migrations of the one at `url`: of SQLite one in memory, of
/// PostgreSQL a new one on the same server, with the same encoding and collation and a name of its own
/// (`nerve_scratch_` and 32 digits). It is dropped with the returned object; what a killed run left behind is
/// dropped by a later one of the same role, an hour after it was made. Needs the right to create databases
/// and a session that no proxy shares: else UnsupportedError, and nothing was done.
std::unique_ptr<db::Database> open_scratch_database(std::string_view url, const OpenOptions& options = {});

}  // namespace nerve
