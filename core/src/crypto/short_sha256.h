// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/crypto/hash.h"

namespace nerve::crypto {

/// SHA-256 (FIPS 180-4) of bytes that are in memory whole, by libmd: the first digest that OpenSSL computes
/// in a process costs 2 ms of loading and initialising, which is more than all else that a short command
/// does.
Sha256Digest short_sha256(ByteView bytes);

}  // namespace nerve::crypto
