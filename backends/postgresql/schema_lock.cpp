// SPDX-License-Identifier: Apache-2.0
#include "postgresql/schema_lock.h"

#include "postgresql/connection.h"
#include "postgresql/result.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <thread>
#include <utility>

namespace nerve::backends {

namespace {

// The key of the lock among the advisory locks of a database: "nervemig" in ASCII.
constexpr const char* lock_key = "7954890169653225831";

/// The first column of the first row of a statement of ours; empty where there is no row.
std::string query(PostgresqlConnection& connection, const std::string& sql) {
  const Result result(PQexec(connection.handle(), sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) connection.throw_error(result.get());
  return PQntuples(result.get()) == 0 ? std::string() : PQgetvalue(result.get(), 0, 0);
}

std::string describe_holder(PostgresqlConnection& connection) {
  const std::string pid = query(
      connection,
      std::string("SELECT pid FROM pg_locks WHERE locktype='advisory' AND granted AND database=(SELECT oid "
                  "FROM pg_database WHERE datname=current_database()) AND ((classid::bigint << 32) | "
                  "objid::bigint)=") +
          lock_key + " LIMIT 1");
  return pid.empty() ? std::string() : " (server process " + pid + ")";
}

class TransactionLock final : public db::SchemaLock {
 public:
  TransactionLock(std::unique_ptr<PostgresqlConnection> connection, std::string database)
      : connection_(std::move(connection)), database_(std::move(database)) {}
  ~TransactionLock() override { connection_->rollback(); }

  void require_held() override {
    if (connection_->is_usable() && PQtransactionStatus(connection_->handle()) == PQTRANS_INTRANS) return;
    throw ConnectionError("the connection that holds the schema lock of " + database_ + " was lost",
                          "Run the command again: what was completed stays, the rest is done then.");
  }

 private:
  std::unique_ptr<PostgresqlConnection> connection_;
  std::string database_;
};

}  // namespace

std::unique_ptr<db::SchemaLock> lock_with_transaction(std::unique_ptr<PostgresqlConnection> connection,
                                                      const std::string& database,
                                                      std::chrono::milliseconds wait) {
  constexpr std::chrono::milliseconds pause{50};
  connection->require_own_session();
  connection->require_trusted_schema();
  connection->begin(db::Access::write, {.reads_catalogue = true});
  query(*connection, "SELECT set_config('idle_in_transaction_session_timeout', '0', true)");
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (query(*connection, std::string("SELECT pg_try_advisory_xact_lock(") + lock_key + ")") != "t") {
    throw_if_interrupted();
    if (std::chrono::steady_clock::now() >= deadline) {
      throw ConnectionError(
          "the schema of " + database + " is being changed by another process" + describe_holder(*connection),
          "Wait until it ends, then run the command again; nothing has to be unlocked by hand.");
    }
    std::this_thread::sleep_for(pause);
  }
  return std::make_unique<TransactionLock>(std::move(connection), database);
}

}  // namespace nerve::backends
