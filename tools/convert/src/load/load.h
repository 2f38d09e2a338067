// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "source/source_snapshot.h"
#include "target/ledger.h"

#include "nerve/backends/open.h"
#include "nerve/convert/plan.h"
#include "nerve/core/progress.h"

#include <string>
#include <vector>

namespace nerve::convert {

struct LoadResult {
  std::vector<RangeResult> tables;    ///< in the order of the plan
  std::vector<Untranslated> refused;  ///< keys and indexes that the server did not make
};

/// Loads all rows and makes keys and indexes: as many workers as the snapshot has readers, each with a
/// connection of its own. Each range and each step is one transaction with its entry in the ledger; what is
/// entered there already is not done again.
LoadResult load_tables(const Plan& plan, const Ledger& ledger, SourceSnapshot& snapshot,
                       const std::string& target_url, const OpenOptions& options, ProgressSink* progress);

/// The same by one connection and inside its transaction, with an empty ledger.
LoadResult load_tables_at_once(const Plan& plan, const Ledger& ledger, SourceSnapshot& snapshot,
                               postgresql::Session& target, ProgressSink* progress);

}  // namespace nerve::convert
