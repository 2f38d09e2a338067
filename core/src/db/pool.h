// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "session.h"

#include "nerve/db/database.h"

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace nerve::db {

/// Lends sessions, at most `pool_size` at once. Safe for many threads.
class Pool {
 public:
  Pool(ConnectionSource& source, QueryLog& log, const DatabaseOptions& options);

  /// A session on loan; it goes back when this is destroyed, without a transaction, or is dropped when it is
  /// spoilt.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Session> session) noexcept
        : pool_(&pool), session_(std::move(session)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Session& operator*() noexcept { return *session_; }
    Session* operator->() noexcept { return session_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Session> session_;
  };

  /// Waits for a free session. Throws ConnectionError when none comes free in time or no connection can be
  /// made.
  Lease lease();

  PoolStatus status() const;

 private:
  std::unique_ptr<Session> take_idle();
  void give_back(std::unique_ptr<Session> session) noexcept;
  void forget_one() noexcept;

  ConnectionSource& source_;
  QueryLog& log_;
  const DatabaseOptions& options_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Session>> idle_;  // the last one given back is the first to be lent
  std::size_t open_ = 0;
};

}  // namespace nerve::db
