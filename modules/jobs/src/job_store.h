// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/transaction.h"
#include "nerve/jobs/runner.h"

#include <map>
#include <string>
#include <string_view>

namespace nerve::jobs {

std::map<std::string, JobState, std::less<>> read_states(db::Transaction& transaction);
void write_state(db::Transaction& transaction, std::string_view job, const JobState& state);

}  // namespace nerve::jobs
