// SPDX-License-Identifier: Apache-2.0
#include "nerve/db/database.h"

#include "pool.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

namespace nerve::db {

struct Database::State {
  std::unique_ptr<ConnectionSource> source;
  DatabaseOptions options;
  QueryLog log;
  std::shared_ptr<std::timed_mutex> writer_queue;
  Pool pool;

  State(std::unique_ptr<ConnectionSource> connection_source, DatabaseOptions database_options)
      : source(std::move(connection_source)),
        options(database_options),
        writer_queue(source->writer_queue()),
        pool(*source, log, options) {}
};

namespace {

/// The queues in which this thread is the writer: a write inside a write would wait for itself.
thread_local std::vector<const std::timed_mutex*> held_queues;

/// The writer's place in the queue of its process.
class WriterTurn {
 public:
  WriterTurn(std::timed_mutex* queue, std::chrono::milliseconds wait, const std::string& name)
      : queue_(queue) {
    if (queue_ == nullptr) return;
    if (std::find(held_queues.begin(), held_queues.end(), queue_) != held_queues.end()) {
      throw Error(ErrorKind::failure, "a write inside a write on " + name,
                  "Pass the Transaction on to the inner work, or use its savepoint().");
    }
    if (!queue_->try_lock_for(wait)) {
      throw ConnectionError("the writers before this one on " + name + " did not end in time",
                            "Make write transactions shorter; the work was not done and may be tried again.");
    }
    held_queues.push_back(queue_);
  }
  WriterTurn(const WriterTurn&) = delete;
  WriterTurn& operator=(const WriterTurn&) = delete;
  ~WriterTurn() {
    if (queue_ == nullptr) return;
    held_queues.pop_back();
    queue_->unlock();
  }

 private:
  std::timed_mutex* queue_;
};

bool is_lost_connection(const DatabaseError& error) {
  return dynamic_cast<const ConnectionError*>(&error) != nullptr;
}

/// Whether running the whole closure again can help and is safe: nothing of it was committed.
bool may_retry(const DatabaseError& error) {
  if (const auto* transaction = dynamic_cast<const TransactionError*>(&error)) {
    if (transaction->outcome() == TransactionError::Outcome::unknown) return false;
  }
  constexpr std::string_view stale_plan = "0A000";  // a table changed under a prepared statement
  const std::string_view code = error.code();
  return code == "40001" || code == "40P01" || code == stale_plan || code.starts_with("SQLITE_BUSY") ||
         code.starts_with("SQLITE_LOCKED") || code.starts_with("08") || code.starts_with("57P");
}

std::chrono::milliseconds pause_before(int attempt, const DatabaseOptions& options) {
  // Jitter needs no cryptography: it only keeps two writers from meeting again and again.
  thread_local std::minstd_rand generator{std::random_device{}()};
  const auto ceiling = std::min(options.backoff * (1 << std::min(attempt, 16)), options.backoff_max);
  std::uniform_int_distribution<std::int64_t> jitter(ceiling.count() / 2, ceiling.count());
  return std::chrono::milliseconds(jitter(generator));
}

}  // namespace

Database::Database(std::unique_ptr<ConnectionSource> source, DatabaseOptions options)
    : state_(std::make_unique<State>(std::move(source), options)) {}

Database::~Database() = default;

void Database::run(Access access, const TransactionOptions& options,
                   const std::function<void(Transaction&)>& work) {
  for (int attempt = 1;; ++attempt) {
    try {
      return run_once(access, options, work);
    } catch (const DatabaseError& error) {
      if (attempt >= state_->options.attempts || !may_retry(error)) throw;
    }
    std::this_thread::sleep_for(pause_before(attempt, state_->options));
  }
}

void Database::run_once(Access access, const TransactionOptions& options,
                        const std::function<void(Transaction&)>& work) {
  const WriterTurn turn(access == Access::write ? state_->writer_queue.get() : nullptr,
                        state_->options.writer_wait, name());
  Pool::Lease session = state_->pool.lease();
  run_transaction(*session, access, options, work);
}

void Database::run_transaction(Session& session, Access access, const TransactionOptions& options,
                               const std::function<void(Transaction&)>& work) {
  try {
    session.begin(access, options);
    Transaction transaction(session);
    work(transaction);
    session.commit();
  } catch (const DatabaseError& error) {
    if (is_lost_connection(error) || may_retry(error)) session.spoil_unless_busy(error.code());
    session.rollback();
    throw;
  } catch (...) {
    session.rollback();
    throw;
  }
}

void Database::run_schema_change(const std::function<void(SchemaSession&)>& work) {
  Pool::Lease lease = state_->pool.lease();
  Session& session = *lease;
  SchemaSession schema_session(session, [&](Access access, const TransactionOptions& options,
                                            const std::function<void(Transaction&)>& transaction_work) {
    const WriterTurn turn(access == Access::write ? state_->writer_queue.get() : nullptr,
                          state_->options.writer_wait, name());
    run_transaction(session, access, options, transaction_work);
  });
  work(schema_session);
}

std::unique_ptr<SchemaLock> Database::lock_schema(std::chrono::milliseconds wait) {
  return state_->source->lock_schema(wait);
}

QueryLog& Database::query_log() noexcept {
  return state_->log;
}

Dialect Database::dialect() const noexcept {
  return state_->source->dialect();
}

const std::string& Database::name() const noexcept {
  return state_->source->name();
}

PoolStatus Database::pool_status() const {
  return state_->pool.status();
}

}  // namespace nerve::db
