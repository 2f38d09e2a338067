// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/health/check.h"
#include "nerve/store.h"

namespace nerve::workspace {

health::Check check_references(Stores& stores);
health::Check check_dead_letters(Stores& stores);
health::Check check_backlog(Stores& stores);

}  // namespace nerve::workspace
