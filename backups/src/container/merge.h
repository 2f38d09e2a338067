// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../durable_file.h"
#include "chain.h"
#include "keys.h"

#include <cstddef>
#include <filesystem>

namespace nerve::backups {

/// Writes the last container of a chain anew to an open, empty file, as a delta to the one at `base` (0 is
/// the full): it holds the newest form of each page that changed in between. Id, depth and state stay, so
/// deltas to it remain deltas to it. Each page is compared with its hash on the way. Throws IntegrityError
/// and CancelledError.
ContainerTrailer merge_deltas(const Chain& chain, std::size_t base, const Descriptor& file,
                              const std::filesystem::path& path, Keyring& keyring);

}  // namespace nerve::backups
