// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "source/source_snapshot.h"
#include "values/row_digest.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"
#include "nerve/core/progress.h"

#include <cstdint>
#include <span>
#include <vector>

namespace nerve::convert {

/// The digests of all rows of each table, in the order of the plan.
struct TableSums {
  std::vector<DigestSum> source;  ///< of the rows that can be stored as planned; empty where not asked for
  std::vector<DigestSum> target;
};

enum class Sides : std::uint8_t { target, both };

/// Reads every row of one side or both, by a worker for each of `targets`, of which there are no more than
/// the snapshot has readers. Large tables are read in parts, by several of them at a time.
TableSums sum_tables(const Plan& plan, SourceSnapshot& snapshot, std::span<postgresql::Session> targets,
                     Sides sides, ProgressSink* progress);

}  // namespace nerve::convert
