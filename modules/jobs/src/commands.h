// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

namespace nerve::jobs {

/// nerve-db jobs list and run
Command jobs_command();

}  // namespace nerve::jobs
