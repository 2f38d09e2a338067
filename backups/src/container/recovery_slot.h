// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "header.h"

#include "nerve/core/random.h"
#include "nerve/core/secret.h"
#include "nerve/core/time.h"
#include "nerve/crypto/aead.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace nerve::backups {

/// A master key that a recovery key opens (docs/backup_format.md, "Recovery keys").
struct RecoverySlot {
  static constexpr std::size_t wrapped_bytes = 32 + crypto::Aes256Gcm::tag_bytes;

  std::string key;  ///< which master key it is, as key_text() has it
  Salt16 salt{};
  std::array<std::byte, wrapped_bytes> wrapped{};
  Timestamp made_at = {};
  std::string name = {};  ///< what people call it; may be empty
};

/// Seals a master key for a recovery key that was never used for another.
RecoverySlot seal_for_recovery(const Secret& recovery_key, std::string key, const Secret& master,
                               Random& random);

/// Absent where the slot is of another recovery key, or was altered.
std::optional<Secret> master_in(const RecoverySlot& slot, const Secret& recovery_key);

}  // namespace nerve::backups
