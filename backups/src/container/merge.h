// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../durable_file.h"
#include "keys.h"
#include "page_owners.h"
#include "running_state.h"
#include "succession.h"

#include <filesystem>
#include <vector>

namespace nerve::backups {

/// Deltas that follow one another, of which the last is to do without those before it.
struct Segment {
  ContainerEnd base;                          ///< what the first is a delta to
  std::vector<std::filesystem::path> deltas;  ///< the oldest first
  PageOwners owners;                          ///< by the place in `deltas`
  ContainerEnd end;                           ///< the last of them
};

/// Reads the deltas one after the other: each page is compared with its hash, and the state at the end with
/// the one that the last is sealed with. `state` is that of the base, and goes along. Throws IntegrityError,
/// CancelledError, and UnsupportedError for more than 65,534.
Segment read_segment(std::vector<std::filesystem::path> deltas, RunningState& state, Keyring& keyring);

/// Writes the last delta of a segment anew to an open, empty file, as a delta to the base: it holds the
/// newest form of each page that changed in between. Id, depth and state stay, so deltas to it remain deltas
/// to it. Each page is compared with its hash on the way. Throws IntegrityError and CancelledError.
ContainerTrailer merge_deltas(const Segment& segment, const Descriptor& file,
                              const std::filesystem::path& path, Keyring& keyring);

}  // namespace nerve::backups
