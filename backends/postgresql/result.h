// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace nerve::backends {

struct ResultDeleter {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};

/// What libpq answers to a statement.
using Result = std::unique_ptr<PGresult, ResultDeleter>;

}  // namespace nerve::backends
