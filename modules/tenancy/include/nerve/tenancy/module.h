// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/module.h"

namespace nerve::tenancy {

/// The module, for the list of those that a program is made with.
const Module& module();

}  // namespace nerve::tenancy
