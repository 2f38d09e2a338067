// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/command.h"

namespace nerve::cli {

Command validate_record_command();

}  // namespace nerve::cli
