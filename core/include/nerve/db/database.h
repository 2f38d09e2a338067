// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/connection.h"
#include "nerve/db/query_log.h"
#include "nerve/db/schema_session.h"
#include "nerve/db/tenant_setting.h"
#include "nerve/db/transaction.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace nerve::db {

struct DatabaseOptions {
  static constexpr std::size_t pool_size_default = 8;
  static constexpr int attempts_default = 6;

  std::size_t pool_size = pool_size_default;      ///< connections at once, made as they are needed
  std::chrono::milliseconds pool_wait{10'000};    ///< how long to wait for a free one
  std::chrono::milliseconds writer_wait{30'000};  ///< how long a writer waits for the writers before it
  int attempts = attempts_default;                ///< runs of a closure at most, the first included
  std::chrono::milliseconds backoff{5};           ///< pause before the second run; doubles, with jitter
  std::chrono::milliseconds backoff_max{500};
  std::size_t statements_max = 256;  ///< prepared statements kept for each connection
};

struct PoolStatus {
  std::size_t open = 0;
  std::size_t idle = 0;
  std::size_t size_max = 0;
};

/// A database with its pool of connections. Safe for many threads.
///
///   database.write([&](Transaction& transaction) {
///     transaction.execute("INSERT INTO notes(id, body) VALUES (:id, :body)", {{"id", id}, {"body", body}});
///   });
///
/// On PostgreSQL `read`, `write`, `change_schema` and `lock_schema` throw DeniedError where the schema in
/// which names are looked up cannot be trusted: somebody but the role itself, superusers and the owner of the
/// database may create in it, or owns something there, and so could run code as the role.
///
/// `read` sees one snapshot and cannot change anything. `write` commits when the closure returns and rolls
/// back when it throws. On SQLite it is alone from its beginning; on PostgreSQL it is READ COMMITTED, so a
/// check that an act depends on locks its row first (lock_row_clause).
///
/// The closure may run more than once: it is run again, at most `attempts` times, when the database was
/// locked, on a deadlock or serialization failure, and when the connection was lost before COMMIT. It must
/// not keep or send anything that only a commit makes true. When the connection is lost during COMMIT, nobody
/// knows the outcome: that is TransactionError with Outcome::unknown, and never a retry.
class Database {
 public:
  explicit Database(std::unique_ptr<ConnectionSource> source, DatabaseOptions options = {});
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  template <class Work>
  auto read(Work&& work) {
    return run_returning(Access::read, {}, std::forward<Work>(work));
  }
  template <class Work>
  auto write(Work&& work) {
    return run_returning(Access::write, {}, std::forward<Work>(work));
  }
  /// The same for a tenant, or for all of them: on PostgreSQL policies of row-level security see it as the
  /// setting `nerve.tenant`, in every run of the closure and at no round trip more. The two above are for no
  /// tenant.
  template <class Work>
  auto read(const TenantSetting& tenant, Work&& work) {
    return run_returning(Access::read, options_of(tenant), std::forward<Work>(work));
  }
  template <class Work>
  auto write(const TenantSetting& tenant, Work&& work) {
    return run_returning(Access::write, options_of(tenant), std::forward<Work>(work));
  }
  /// A read of what the engine knows of the database, and of no table of the application by its bare name.
  ///
  /// On PostgreSQL a name without a schema, operators included, is looked up in pg_catalog only. So it works
  /// in every database, whoever may create in its schemas: with the application's schema on the path a
  /// function or operator there that fits the types of a catalogue's columns better than the server's own
  /// would run as the reader.
  template <class Work>
  auto read_catalogue(Work&& work) {
    TransactionOptions options;
    options.reads_catalogue = true;
    return run_returning(Access::read, options, std::forward<Work>(work));
  }

  /// A read of definitions, whose names the server writes with or without their schema by the path: on
  /// PostgreSQL the path is that of `read`, also where the schema cannot be trusted. Only for statements that
  /// are written for it, as those of migrations/engine/catalogue/postgresql_queries.h are: what they call is
  /// named with its schema, and operators have operands of the very types of one of the server's own.
  template <class Work>
  auto read_definitions(Work&& work) {
    TransactionOptions options;
    options.reads_definitions = true;
    return run_returning(Access::read, options, std::forward<Work>(work));
  }

  /// Calls `work(SchemaSession&)` with one connection for changes of the schema; see
  /// nerve/db/schema_session.h. Nothing of it is ever run again by itself.
  template <class Work>
  auto change_schema(Work&& work) {
    using Result = std::invoke_result_t<Work&, SchemaSession&>;
    if constexpr (std::is_void_v<Result>) {
      run_schema_change([&work](SchemaSession& session) { work(session); });
    } else {
      std::optional<Result> result;
      run_schema_change([&](SchemaSession& session) { result.emplace(work(session)); });
      return std::move(*result);
    }
  }

  /// Takes the one lock that all who change the schema of this database take, and waits for it at most
  /// `wait`.
  ///
  /// On SQLite it is a lock of the operating system on the database's folder (so a migration of another
  /// database in the same folder waits too); on PostgreSQL a lock of a transaction that stays open on a
  /// connection of its own. Throws ConnectionError that says who holds it; UnsupportedError where the server
  /// is behind a proxy that pools connections, since changes of the schema need sessions of their own.
  std::unique_ptr<SchemaLock> lock_schema(std::chrono::milliseconds wait);

  QueryLog& query_log() noexcept;
  Dialect dialect() const noexcept;
  /// The database's name for messages, without credentials.
  const std::string& name() const noexcept;
  PoolStatus pool_status() const;

 private:
  static TransactionOptions options_of(const TenantSetting& tenant) {
    TransactionOptions options;
    options.tenant = tenant;
    return options;
  }

  template <class Work>
  auto run_returning(Access access, const TransactionOptions& options, Work&& work) {
    using Result = std::invoke_result_t<Work&, Transaction&>;
    if constexpr (std::is_void_v<Result>) {
      run(access, options, [&work](Transaction& transaction) { work(transaction); });
    } else {
      static_assert(!std::is_reference_v<Result>, "what the closure returns must outlive its transaction");
      std::optional<Result> result;
      run(access, options, [&](Transaction& transaction) { result.emplace(work(transaction)); });
      return std::move(*result);
    }
  }

  void run(Access access, const TransactionOptions& options, const std::function<void(Transaction&)>& work);
  void run_schema_change(const std::function<void(SchemaSession&)>& work);
  void run_once(Access access, const TransactionOptions& options,
                const std::function<void(Transaction&)>& work);
  static void run_transaction(Session& session, Access access, const TransactionOptions& options,
                              const std::function<void(Transaction&)>& work);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nerve::db
