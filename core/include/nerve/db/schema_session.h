// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/connection.h"
#include "nerve/db/transaction.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nerve::db {

/// One connection for changes of the schema: its transactions can ask for more than those of Database, and
/// single statements can run outside of one. It exists inside Database::change_schema only.
///
/// Neither of them is run again by itself: who changes a schema decides what a failure means.
class SchemaSession {
 public:
  SchemaSession(const SchemaSession&) = delete;
  SchemaSession& operator=(const SchemaSession&) = delete;

  template <class Work>
  auto read(Work&& work) {
    return run_returning(Access::read, {}, std::forward<Work>(work));
  }
  /// Commits when `work(Transaction&)` returns, rolls back when it throws.
  template <class Work>
  auto write(Work&& work, const TransactionOptions& options = {}) {
    return run_returning(Access::write, options, std::forward<Work>(work));
  }

  /// Runs one statement outside of any transaction; see Connection::execute_alone.
  void execute_alone(std::string_view sql, std::chrono::milliseconds lock_timeout);

  Dialect dialect() const noexcept;

 private:
  friend class Database;
  using Work = std::function<void(Transaction&)>;
  using Run = std::function<void(Access, const TransactionOptions&, const Work&)>;

  SchemaSession(Session& session, Run run) : session_(session), run_(std::move(run)) {}

  template <class AnyWork>
  auto run_returning(Access access, const TransactionOptions& options, AnyWork&& work) {
    using Result = std::invoke_result_t<AnyWork&, Transaction&>;
    if constexpr (std::is_void_v<Result>) {
      run_(access, options, [&work](Transaction& transaction) { work(transaction); });
    } else {
      std::optional<Result> result;
      run_(access, options, [&](Transaction& transaction) { result.emplace(work(transaction)); });
      return std::move(*result);
    }
  }

  Session& session_;
  Run run_;
};

}  // namespace nerve::db
