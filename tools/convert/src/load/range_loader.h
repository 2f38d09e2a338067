// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/row_reader.h"
#include "target/ledger.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/backends/sqlite/session.h"

#include <atomic>
#include <cstdint>

namespace nerve::convert {

/// What all workers of a load share.
struct LoadContext {
  const Plan& plan;
  const Ledger& ledger;
  std::atomic<std::int64_t>& bytes_sent;
  std::atomic<std::int64_t>& rows_sent;
  std::atomic<bool>& is_stopped;  ///< another worker has failed
  bool may_reject;                ///< there is a place for rows that are left out
};

/// Loads one range, with its rejects and its entry in the ledger. To be called inside a transaction.
/// `is_frozen` asks for COPY … FREEZE, for a table that was made or emptied in this transaction. Throws
/// CancelledError when stopped, and ValidationError for a reject where there may be none.
RangeResult load_range(const LoadContext& context, const Range& range, sqlite::Session& source,
                       postgresql::Session& target, bool is_frozen);

}  // namespace nerve::convert
