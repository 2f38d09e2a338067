// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "soci/soci_include.h"

#include "nerve/backends/open.h"
#include "nerve/db/connection.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
// SOCI's header declares SQLite inside namespace sqlite_api; <sqlite3.h> must not be included beside it.
#include <soci/sqlite3/soci-sqlite3.h>

namespace nerve::backends {

/// In place of a path: a database in memory, which is gone with its connection.
inline constexpr std::string_view in_memory = ":memory:";

/// One connection to an SQLite file: WAL, foreign keys, busy timeout, extended result codes, defensive mode.
class SqliteConnection : public db::Connection {
 public:
  SqliteConnection(const std::filesystem::path& path, const OpenOptions& options);

  void begin(db::Access access, const db::TransactionOptions& options) override;
  void commit() override;
  void rollback() noexcept override;
  bool in_transaction() noexcept override;
  void savepoint(int depth) override;
  void release_savepoint(int depth) override;
  void rollback_to_savepoint(int depth) override;
  std::unique_ptr<db::PreparedStatement> prepare(const db::StatementText& statement) override;
  void execute_script(std::string_view sql) override;
  void execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout) override;
  std::unique_ptr<db::BulkWriter> bulk_insert(const db::Identifier& table,
                                              std::span<const db::Identifier> columns) override;
  bool is_usable() noexcept override;

  sqlite_api::sqlite3* handle() noexcept { return handle_; }
  soci::session& session() noexcept { return session_; }
  db::Access access() const noexcept { return access_; }
  const std::filesystem::path& path() const noexcept { return path_; }

  /// Throws what an extended result code means. `preparing` says that no value was bound yet, so that
  /// SQLite's own text may be passed on.
  [[noreturn]] void throw_error(int code, bool preparing = false);

 private:
  void configure(const OpenOptions& options);
  void enter_wal_mode();
  void run(const std::string& sql);
  std::string pragma_text(const char* sql);
  void run_without_control(std::string_view sql);
  [[noreturn]] void throw_script_error();
  void suspend_foreign_keys();
  void resume_foreign_keys() noexcept;

  std::filesystem::path path_;
  soci::session session_;
  sqlite_api::sqlite3* handle_;
  db::Access access_ = db::Access::read;
  bool foreign_keys_suspended_ = false;
};

}  // namespace nerve::backends
