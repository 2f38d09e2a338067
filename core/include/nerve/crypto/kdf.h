// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"
#include "nerve/core/secret.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nerve::crypto {

/// HKDF-SHA256 (RFC 5869), extract and expand: a key of `size` bytes for the purpose `info`. `key` must be
/// hard to guess already; of a passphrase scrypt() makes such a one. Throws ValidationError for a size of 0
/// or over 8160.
Secret hkdf_sha256(ByteView key, ByteView salt, std::string_view info, std::size_t size);

/// What it costs to try one passphrase: memory of 128 * N * r bytes, `p` times over. By default 128 MiB, as
/// OWASP (Password Storage Cheat Sheet) recommends.
struct ScryptCost {
  std::uint8_t log2_n = 17;
  std::uint8_t r = 8;
  std::uint8_t p = 1;
};

/// scrypt (RFC 7914): a key of `size` bytes from a passphrase. Throws ValidationError for a cost that RFC
/// 7914 does not permit or that takes more than 2 GiB of memory.
Secret scrypt(const Secret& passphrase, ByteView salt, const ScryptCost& cost, std::size_t size);

}  // namespace nerve::crypto
