// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/module.h"

namespace nerve::jobs {

/// The module, for the list of those that a program is made with.
const Module& module();

}  // namespace nerve::jobs
