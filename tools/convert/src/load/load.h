// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "source/source_snapshot.h"
#include "target/ledger.h"
#include "target/step_runner.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"
#include "nerve/core/progress.h"

#include <span>
#include <vector>

namespace nerve::convert {

struct LoadResult {
  std::vector<RangeResult> tables;    ///< in the order of the plan
  std::vector<Untranslated> refused;  ///< keys and indexes that the server did not make
};

struct LoadOptions {
  Transactions transactions = Transactions::each;
  bool may_reject = false;  ///< there is a place for rows that are left out; else one ends the load
};

/// The server cannot compute a column of a table of the rows that it is sent.
class ComputeError : public DatabaseError {
 public:
  /// `table` is its place in the plan; what is thrown gives the reason.
  ComputeError(std::size_t table, const DatabaseError& error);
  std::size_t table() const noexcept { return table_; }

 private:
  std::size_t table_;
};

/// Loads all rows and makes keys and indexes: a worker for each of `targets`, of which there are no more than
/// the snapshot has readers. Each range and each step is one transaction with its entry in the ledger, or all
/// belong to the one that is open on the only target; what is entered there already is not done again. Throws
/// ComputeError where that is why it ends.
LoadResult load_tables(const Plan& plan, const Ledger& ledger, SourceSnapshot& snapshot,
                       std::span<postgresql::Session> targets, const LoadOptions& options,
                       ProgressSink* progress);

}  // namespace nerve::convert
