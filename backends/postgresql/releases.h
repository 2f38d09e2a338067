// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/time.h"

#include <optional>
#include <string_view>

namespace nerve::postgresql {

/// The day on which the last minor release of a major version is due
/// (https://www.postgresql.org/support/versioning/); absent for one that this program does not know.
std::optional<Timestamp> end_of_life(int major_version);

/// What a release is known to do to data, and how to mend it; empty where nothing is known.
std::string_view known_fault(int version_number);

}  // namespace nerve::postgresql
