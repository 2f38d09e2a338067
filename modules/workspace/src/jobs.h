// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/job.h"

#include <chrono>

namespace nerve::workspace {

/// How long delivered messages and their receipts are kept.
inline constexpr std::chrono::days outbox_retention{30};

/// How long a reference must have been an orphan before the sweep acts upon it.
inline constexpr std::chrono::hours orphan_grace{24};

// One for each source file of the same name.
JobReport drain_outbox(JobContext& context);
JobReport purge_outbox(JobContext& context);
JobReport sweep_orphans(JobContext& context);

}  // namespace nerve::workspace
