// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/ledger.h"
#include "target/step_runner.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"
#include "nerve/core/progress.h"

#include <span>
#include <vector>

namespace nerve::convert {

/// Runs what the plan has at its end: in its order by the first session, and then those steps that only read
/// rows by all sessions at a time. What the ledger has is not done again. Returns the objects that the server
/// refused.
std::vector<Untranslated> run_end_steps(const Plan& plan, const Ledger& ledger,
                                        std::span<postgresql::Session> targets, Transactions transactions,
                                        ProgressSink* progress);

}  // namespace nerve::convert
