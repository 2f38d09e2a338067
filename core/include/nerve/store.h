// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/change.h"
#include "nerve/core/clock.h"
#include "nerve/db/database.h"
#include "nerve/events.h"
#include "nerve/placement.h"
#include "nerve/reader.h"
#include "nerve/scope.h"

#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace nerve {

struct Module;

/// A store that is open, with what services need beside it. Borrows all of it; cheap to copy.
struct OpenStore {
  Store id;
  db::Database& database;
  const DomainEvents& events;  ///< of the modules that are in this store
  const Clock& clock;
  ChangeSink sink = nullptr;  ///< what everything that happens is handed to

  /// Calls `work(Reader&)` in one snapshot, and returns what it returns.
  template <class Work>
  auto read(const Scope& scope, Work&& work) const {
    return run<Reader>(std::forward<Work>(work),
                       [&](const std::function<void(Reader&)>& inner) { run_read(scope, inner); });
  }
  /// Calls `work(Change&)` in one transaction, hands what happened to the sink, and commits. What is thrown
  /// undoes all of it; refusals are then recorded in a transaction of their own. See Database::write for when
  /// `work` is run again.
  template <class Work>
  auto change(const Scope& scope, Work&& work) const {
    return run<Change>(std::forward<Work>(work),
                       [&](const std::function<void(Change&)>& inner) { run_change(scope, inner); });
  }

 private:
  template <class Access, class Work, class Run>
  static auto run(Work&& work, Run&& run_inner) {
    using Result = std::invoke_result_t<Work&, Access&>;
    if constexpr (std::is_void_v<Result>) {
      run_inner([&](Access& access) { work(access); });
    } else {
      static_assert(!std::is_reference_v<Result>, "what the closure returns must outlive its transaction");
      std::optional<Result> result;
      run_inner([&](Access& access) { result.emplace(work(access)); });
      return std::move(*result);
    }
  }
  void run_read(const Scope& scope, const std::function<void(Reader&)>& work) const;
  void run_change(const Scope& scope, const std::function<void(Change&)>& work) const;
  void record_refusals(const Scope& scope, std::span<const ChangeEntry> refusals) const;
};

/// The stores of one workspace as modules see them. Not safe for several threads; the databases are.
class Stores {
 public:
  Stores() = default;
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;
  virtual ~Stores() = default;

  /// Opened when it is first asked for.
  ///
  /// Throws what opening a database throws; IntegrityError for a store of another workspace or in the place
  /// of the other one, NotFoundError for a database that is no store; an Error of the kind pending_migrations
  /// while its schema is behind the program.
  virtual OpenStore store(Store store) = 0;
  /// Every module of the program, each after those it depends on.
  virtual std::span<const Module* const> modules() const = 0;
  /// Runs `work` while nobody else, in any process, runs something else this way in this workspace. Throws
  /// Error of the kind unavailable without waiting where somebody does.
  virtual void run_exclusively(const std::function<void()>& work) = 0;
};

}  // namespace nerve
