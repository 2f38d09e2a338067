// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"
#include "nerve/db/connection.h"

#include <memory>
#include <string_view>

namespace nerve::backends {

/// Makes a database beside the one at `url`, and drops it when it is destroyed; see open_scratch_database.
std::unique_ptr<db::ConnectionSource> make_scratch_source(std::string_view url, const OpenOptions& options);

}  // namespace nerve::backends
