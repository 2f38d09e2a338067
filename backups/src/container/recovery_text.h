// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/secret.h"

#include <cstddef>

/// A recovery key as people keep it (docs/backup_format.md, "Recovery keys"): base32 (RFC 4648) of its 32
/// bytes and of the first 3 bytes of their SHA-256, in 14 groups of four.
namespace nerve::backups {

inline constexpr std::size_t recovery_key_bytes = 32;

/// In capitals, the groups separated by hyphens.
Secret recovery_text_of(const Secret& key);

/// Reads that text again, in capitals or not; hyphens and white space are passed over. Throws ValidationError
/// for a typing error. Where one letter is wrong, or two neighbours changed places, it names the group.
Secret recovery_key_from(const Secret& text);

}  // namespace nerve::backups
