// SPDX-License-Identifier: Apache-2.0
#include "recovery_slot.h"

#include "nerve/core/bytes.h"
#include "nerve/crypto/kdf.h"

#include <string.h>

#include <algorithm>
#include <utility>

namespace nerve::backups {
namespace {

/// The key that seals one slot. It is used once, so that its nonce may be zero.
crypto::Aes256Gcm cipher_of(const Secret& recovery_key, const Salt16& salt) {
  const Secret key =
      crypto::hkdf_sha256(recovery_key.reveal(), salt, "nerve backup recovery", crypto::Aes256Gcm::key_bytes);
  return crypto::Aes256Gcm(key.reveal());
}

}  // namespace

RecoverySlot seal_for_recovery(const Secret& recovery_key, std::string key, const Secret& master,
                               Random& random) {
  RecoverySlot slot;
  slot.key = std::move(key);
  random.fill(slot.salt);
  Bytes sealed;
  cipher_of(recovery_key, slot.salt).seal({}, as_bytes(slot.key), master.reveal(), sealed);
  std::ranges::copy(sealed, slot.wrapped.begin());
  return slot;
}

std::optional<Secret> master_in(const RecoverySlot& slot, const Secret& recovery_key) {
  Bytes opened;
  if (!cipher_of(recovery_key, slot.salt).open({}, as_bytes(slot.key), slot.wrapped, opened))
    return std::nullopt;
  Secret master = Secret::copy_of(opened);
  ::explicit_bzero(opened.data(), opened.size());
  return master;
}

}  // namespace nerve::backups
