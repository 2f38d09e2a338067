// SPDX-License-Identifier: Apache-2.0
#include "pool.h"

#include "nerve/core/error.h"

#include <chrono>
#include <string>

namespace nerve::db {

Pool::Pool(ConnectionSource& source, QueryLog& log, const DatabaseOptions& options)
    : source_(source), log_(log), options_(options) {
  idle_.reserve(options.pool_size);
}

Pool::Lease::~Lease() {
  if (session_) pool_->give_back(std::move(session_));
}

Pool::Lease Pool::lease() {
  while (auto session = take_idle()) {
    // A connection may have died, or its file been replaced by a restore, while it lay in the pool.
    if (session->connection().is_usable()) return Lease(*this, std::move(session));
    session.reset();
    forget_one();
  }
  try {
    return Lease(*this, std::make_unique<Session>(source_.connect(), source_.dialect(), log_,
                                                  options_.statements_max));
  } catch (...) {
    forget_one();
    throw;
  }
}

/// An idle session; or null together with the right to open a new one.
std::unique_ptr<Session> Pool::take_idle() {
  std::unique_lock lock(mutex_);
  const bool granted = returned_.wait_for(lock, options_.pool_wait,
                                          [&] { return !idle_.empty() || open_ < options_.pool_size; });
  if (!granted) {
    throw ConnectionError(
        "all " + std::to_string(options_.pool_size) + " connections to " + source_.name() + " are in use",
        "End transactions sooner, or raise the pool size (database.pool_size).");
  }
  if (idle_.empty()) {
    ++open_;
    return nullptr;
  }
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void Pool::give_back(std::unique_ptr<Session> session) noexcept {
  if (session->connection().in_transaction()) session->rollback();
  if (session->is_spoilt()) {
    session.reset();
    forget_one();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(session));  // within the reserved capacity
  }
  returned_.notify_one();
}

void Pool::forget_one() noexcept {
  {
    const std::lock_guard lock(mutex_);
    --open_;
  }
  returned_.notify_one();
}

PoolStatus Pool::status() const {
  const std::lock_guard lock(mutex_);
  return {.open = open_, .idle = idle_.size(), .size_max = options_.pool_size};
}

}  // namespace nerve::db
