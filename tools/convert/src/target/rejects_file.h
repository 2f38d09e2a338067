// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/ledger.h"

#include "nerve/backends/postgresql/session.h"

#include <cstdint>
#include <filesystem>

namespace nerve::convert {

/// Throws where a file cannot be written, or must not: ConflictError for one that is there and is no rejects
/// file, such as the source, NotFoundError and DeniedError for its folder. An empty path is no file.
void require_rejects_place(const std::filesystem::path& file);

/// Writes the rejects of a conversion to a file, a line of JSON each, and returns their number. The file is
/// new or whole: it takes the place of an older one when it is complete and synced. Its mode is 0600, for it
/// holds rows.
std::int64_t write_rejects(const std::filesystem::path& file, const Ledger& ledger,
                           postgresql::Session& session);

}  // namespace nerve::convert
