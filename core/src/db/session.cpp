// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include "statement_text.h"

#include <algorithm>

namespace nerve::db {

Session::Session(std::unique_ptr<Connection> connection, Dialect dialect, QueryLog& log,
                 std::size_t statements_max)
    : connection_(std::move(connection)), dialect_(dialect), log_(log), statements_max_(statements_max) {}

Session::~Session() = default;

void Session::begin(Access access, const TransactionOptions& options) {
  access_ = access;
  broken_ = false;
  schema_changed_ = false;
  savepoint_depth_ = 0;
  connection_->begin(access, options);
}

void Session::commit() {
  require_intact();
  try {
    connection_->commit();
  } catch (...) {
    broken_ = true;
    throw;
  }
  discard_stale_statements();
  evict_idle_statements();
}

void Session::rollback() noexcept {
  connection_->rollback();
  if (connection_->in_transaction()) spoilt_ = true;
  // What the transaction changed of the schema is gone as well, so what was prepared on it is stale.
  discard_stale_statements();
  evict_idle_statements();
}

void Session::execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout) {
  discard_statements();
  connection_->execute_alone(sql, lock_timeout);
}

int Session::begin_savepoint() {
  require_intact();
  guarded([&] { connection_->savepoint(savepoint_depth_ + 1); });
  return ++savepoint_depth_;
}

void Session::release_savepoint(int depth) {
  require_intact();
  guarded([&] { connection_->release_savepoint(depth); });
  savepoint_depth_ = depth - 1;
}

void Session::undo_savepoint(int depth) noexcept {
  savepoint_depth_ = depth - 1;
  try {
    connection_->rollback_to_savepoint(depth);
    connection_->release_savepoint(depth);
    // The engine may have ended the whole transaction (a full disk, a deadlock): then nothing is left to go
    // on with.
    broken_ = !connection_->in_transaction();
  } catch (const std::exception&) {
    broken_ = true;
  }
}

void Session::require_intact() const {
  if (!broken_) return;
  throw TransactionError(
      TransactionError::Outcome::rolled_back,
      "an earlier statement of this transaction failed, so it cannot go on",
      "Let the first error leave the closure, or run the statement that may fail inside savepoint().", {},
      ErrorKind::failure);
}

CachedStatement& Session::acquire(std::string_view sql) {
  require_intact();
  auto found = cache_.find(sql);
  if (found == cache_.end()) found = cache_.emplace(std::string(sql), Statements()).first;
  for (const auto& statement : found->second) {
    if (statement->in_use) continue;
    statement->in_use = true;
    return *statement;
  }
  return prepare_new(sql, found->second);
}

CachedStatement& Session::prepare_new(std::string_view sql, Statements& statements) {
  auto statement = std::make_unique<CachedStatement>();
  statement->text = parse_statement(sql);
  statement->log = &log_.entry(statement->text.fingerprint_sql);
  statement->prepared = guarded([&] { return connection_->prepare(statement->text); });
  statement->in_use = true;
  statements.push_back(std::move(statement));
  ++statement_count_;
  return *statements.back();
}

void Session::release(CachedStatement& statement) noexcept {
  statement.in_use = false;
  if (statement.text.changes_schema) schema_changed_ = true;
  if (!statement.orphaned) return;
  orphans_.remove_if([&](const auto& orphan) { return orphan.get() == &statement; });
}

void Session::discard_stale_statements() noexcept {
  // PostgreSQL plans a statement anew when its tables have changed, and answers 0A000 where its result would
  // be another: then Database::run begins again on a new connection, as it does when somebody else changed
  // them.
  if (schema_changed_ && dialect_ == Dialect::sqlite) discard_statements();
  schema_changed_ = false;
}

void Session::discard_statements() noexcept {
  for (auto& [sql, statements] : cache_) {
    for (auto& statement : statements) {
      if (!statement->in_use) continue;
      statement->orphaned = true;
      orphans_.push_back(std::move(statement));
    }
  }
  cache_.clear();
  statement_count_ = 0;
  schema_changed_ = false;
}

void Session::evict_idle_statements() noexcept {
  // Programs have a bounded set of statements; one that makes texts without end pays by preparing all of them
  // again.
  if (statement_count_ > statements_max_) discard_statements();
}

}  // namespace nerve::db
