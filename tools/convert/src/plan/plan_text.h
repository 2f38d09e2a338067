// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/convert/plan.h"

namespace nerve::convert {

/// The whole plan as JSON. docs/converting.md names the fields.
Json plan_to_json(const Plan& plan);

}  // namespace nerve::convert
