// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/open.h"
#include "nerve/db/connection.h"

#include <memory>
#include <string_view>

namespace nerve::backends {

/// Connections to the servers that `url` names; none is made yet. Throws ValidationError.
std::unique_ptr<db::ConnectionSource> make_postgresql_source(std::string_view url,
                                                             const OpenOptions& options);

}  // namespace nerve::backends
