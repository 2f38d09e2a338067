// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/module.h"

namespace nerve::jobs {

extern const Module definition;

}  // namespace nerve::jobs
