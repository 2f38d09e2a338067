// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "container/keys.h"
#include "container/page_state.h"
#include "container/reader.h"

#include "nerve/backups/manifest.h"
#include "nerve/backups/repository.h"

#include <optional>

/// The hashes of all pages at the newest backup, kept on this machine beside the witness, so that the next
/// delta need not read the lists of a whole chain. They prove themselves: their digest is the state that the
/// container is sealed with. Outside of the repository, since there they would tell a reader which pages of
/// an encrypted database changed.
namespace nerve::backups {

/// Absent where nothing is kept, or something else than the state of `container`.
std::optional<PageState> load_page_state(const Repository& repository, const Manifest& backup,
                                         const ContainerReader& container);

/// Keeps the state at `delta`, which was made against `state`, in the place of that at an earlier backup of
/// its history. That it cannot be kept is no error.
void keep_page_state(const Repository& repository, const Manifest& delta, PageState& state, Keyring& keyring);

}  // namespace nerve::backups
