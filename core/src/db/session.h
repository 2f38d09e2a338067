// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/db/connection.h"
#include "nerve/db/query_log.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nerve::db {

/// A statement that stays prepared between its uses.
struct CachedStatement {
  StatementText text;
  std::unique_ptr<PreparedStatement> prepared;
  QueryLog::Entry* log = nullptr;
  std::vector<ValueType> expected;  ///< what the result was last read as
  bool expects = false;             ///< whether `expected` has been told to the backend
  bool in_use = false;
  bool orphaned = false;  ///< no longer in the cache: freed by whoever uses it
};

/// A connection with its prepared statements and the state of its transaction. Used by one thread at a time.
class Session {
 public:
  Session(std::unique_ptr<Connection> connection, Dialect dialect, QueryLog& log, std::size_t statements_max);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Connection& connection() noexcept { return *connection_; }
  Dialect dialect() const noexcept { return dialect_; }
  QueryLog& log() noexcept { return log_; }
  Access access() const noexcept { return access_; }

  void begin(Access access, const TransactionOptions& options = {});
  /// Commits, unless a statement failed and was swallowed: then it rolls back and throws.
  void commit();
  void rollback() noexcept;
  /// Between transactions only.
  void execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout);

  int begin_savepoint();
  void release_savepoint(int depth);
  void undo_savepoint(int depth) noexcept;

  CachedStatement& acquire(std::string_view sql);
  void release(CachedStatement& statement) noexcept;

  /// Throws when an earlier statement failed outside a savepoint.
  void require_intact() const;
  /// What runs inside passes its errors on; the transaction is broken from then on.
  template <class Work>
  decltype(auto) guarded(Work&& work) {
    try {
      return work();
    } catch (...) {
      broken_ = true;
      throw;
    }
  }

  void mark_broken() noexcept { broken_ = true; }

  /// What was prepared may be stale once the transaction has ended.
  void note_schema_change() noexcept { schema_changed_ = true; }

  /// Whether this session is of no more use: its connection is lost or its state is unclear.
  bool is_spoilt() const noexcept { return spoilt_; }
  /// Marks what an error says of the session: a busy database leaves it usable, anything else that ended the
  /// transaction from outside does not.
  void spoil_unless_busy(std::string_view code) noexcept {
    if (!code.starts_with("SQLITE_BUSY") && !code.starts_with("SQLITE_LOCKED") && code != "40001" &&
        code != "40P01") {
      spoilt_ = true;
    }
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Statements = std::vector<std::unique_ptr<CachedStatement>>;

  CachedStatement& prepare_new(std::string_view sql, Statements& statements);
  void discard_stale_statements() noexcept;
  void discard_statements() noexcept;
  void evict_idle_statements() noexcept;

  std::unique_ptr<Connection> connection_;
  Dialect dialect_;
  QueryLog& log_;
  std::size_t statements_max_;
  std::size_t statement_count_ = 0;
  std::unordered_map<std::string, Statements, Hash, std::equal_to<>>
      cache_;                                            // several for a text that is in use
  std::list<std::unique_ptr<CachedStatement>> orphans_;  // discarded while in use
  Access access_ = Access::read;
  int savepoint_depth_ = 0;
  bool broken_ = false;
  bool schema_changed_ = false;
  bool spoilt_ = false;
};

}  // namespace nerve::db
