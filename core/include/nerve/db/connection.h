// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"
#include "nerve/db/identifier.h"
#include "nerve/db/tenant_setting.h"
#include "nerve/db/value.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What a backend implements. Programs use Database and Transaction; these interfaces are for the folders
/// under backends/ only. Every function may throw the errors of nerve/core/error.h and nothing else.
namespace nerve::db {

/// Whether a transaction may change the database.
enum class Access : std::uint8_t { read, write };

/// What a transaction may ask for beyond its access. All but the tenant is for schema changes and looks at
/// catalogues.
struct TransactionOptions {
  /// False on SQLite for the rebuild of a table: with foreign keys enforced, dropping the old table deletes
  /// the rows of its children. Names in views are then not looked up by a rename either. PostgreSQL needs
  /// neither.
  bool enforces_foreign_keys = true;
  /// On PostgreSQL the longest wait for a lock inside this transaction; absent: as the connection has it.
  std::optional<std::chrono::milliseconds> lock_timeout = std::nullopt;
  /// On PostgreSQL the longest run of one statement inside it, 0 for no limit; absent: as the connection has
  /// it.
  std::optional<std::chrono::milliseconds> statement_timeout = std::nullopt;
  /// On PostgreSQL names without a schema are the server's own inside it; see Database::read_catalogue.
  bool reads_catalogue = false;
  /// On PostgreSQL the setting `nerve.tenant` inside this transaction and nowhere else. Always set, also to
  /// nothing, since whoever had the session before may have left a value. SQLite has no policies that could
  /// read it.
  TenantSetting tenant = {};
  /// For a read: on PostgreSQL it works in a schema too that cannot be trusted; see
  /// Database::read_definitions.
  bool reads_definitions = false;
};

/// A statement as the port hands it to a backend: one statement, without comments, its parameters written
/// `:name`.
struct StatementText {
  std::string sql;
  std::vector<std::string> parameters;  ///< distinct names in order of first use
  std::string fingerprint_sql;          ///< the same with literals replaced by `?` and spaces folded
  bool changes_schema = false;
};

/// One prepared statement of one connection.
class PreparedStatement {
 public:
  virtual ~PreparedStatement() = default;

  /// Binds parameter `index` (of StatementText::parameters). `value` is kept by its owner until reset().
  virtual void bind(std::size_t index, const Value& value) = 0;
  /// Says as what each column of the result is to be read. Throws when the number of columns differs.
  virtual void expect(std::span<const ValueType> columns) = 0;
  /// Executes; true when a row is present.
  virtual bool start() = 0;
  /// The same for a query whose rows may be more than memory holds: they are fetched in portions while next()
  /// goes through them. Other statements may run meanwhile. Throws DatabaseError (invalid) for a statement
  /// that is no query or changes rows.
  virtual bool start_streaming() = 0;
  /// Goes to the next row; false at the end.
  virtual bool next() = 0;
  /// Reads the present row into `cells`, which has as many elements as expect() named. A value that is not of
  /// the type asked for is an error, never a conversion that loses something.
  virtual void read(std::span<Cell> cells) = 0;
  /// Rows that the last execution inserted, updated or deleted.
  virtual std::int64_t affected_rows() = 0;
  /// Ends the execution, frees what it holds and forgets bound values. Harmless when there is none.
  virtual void reset() noexcept = 0;
};

/// A native stream of rows into one table: the fastest way in that the engine has.
class BulkWriter {
 public:
  virtual ~BulkWriter() = default;

  /// Adds one row, a value for each column.
  virtual void add(std::span<const Value> row) = 0;
  /// Ends the stream and returns the number of rows. Without it, destruction abandons the stream and the
  /// transaction must be rolled back.
  virtual std::int64_t finish() = 0;
};

/// One session with a database. Used by one thread at a time.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Begins a transaction: a snapshot for reading, or the writer's (immediate on SQLite). The options end
  /// with the transaction.
  virtual void begin(Access access, const TransactionOptions& options) = 0;
  /// Commits. Throws TransactionError with what is known of the outcome; after it no transaction is open.
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
  /// Whether the engine still has a transaction open (it may have rolled back by itself).
  virtual bool in_transaction() noexcept = 0;

  virtual void savepoint(int depth) = 0;
  virtual void release_savepoint(int depth) = 0;
  virtual void rollback_to_savepoint(int depth) = 0;

  virtual std::unique_ptr<PreparedStatement> prepare(const StatementText& statement) = 0;
  /// Runs several statements natively, without parameters or results.
  virtual void execute_script(std::string_view sql) = 0;
  /// Runs one statement outside of any transaction, for what the engine permits only there (VACUUM, CREATE
  /// INDEX CONCURRENTLY), for as long as it takes, but waiting for locks at most as long as told (0: without
  /// end).
  virtual void execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout) = 0;
  virtual std::unique_ptr<BulkWriter> bulk_insert(const Identifier& table,
                                                  std::span<const Identifier> columns) = 0;

  /// A cheap look whether the session can still be used: connected, and to the database that the name still
  /// means.
  virtual bool is_usable() noexcept = 0;
};

/// Keeps everybody else from changing the schema while it lives. It ends with the process that holds it,
/// however that ends: there is nothing to be unlocked by hand.
class SchemaLock {
 public:
  SchemaLock() = default;
  SchemaLock(const SchemaLock&) = delete;
  SchemaLock& operator=(const SchemaLock&) = delete;
  virtual ~SchemaLock() = default;

  /// Throws ConnectionError when it was lost, because the connection that held it is gone.
  virtual void require_held() = 0;
};

/// Makes connections to one database.
class ConnectionSource {
 public:
  virtual ~ConnectionSource() = default;

  virtual std::unique_ptr<Connection> connect() = 0;
  virtual Dialect dialect() const noexcept = 0;
  /// The database's name for messages, without credentials.
  virtual const std::string& name() const noexcept = 0;
  /// What writers of this process queue on before they meet the engine's lock; null where the engine needs
  /// none. All sources of one file share one mutex, since they share the file's lock: hence the shared_ptr.
  virtual std::shared_ptr<std::timed_mutex> writer_queue() const = 0;
  /// See Database::lock_schema.
  virtual std::unique_ptr<SchemaLock> lock_schema(std::chrono::milliseconds wait) = 0;
};

}  // namespace nerve::db
