// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"
#include "nerve/crypto/hash.h"

#include <array>
#include <cstddef>
#include <memory>

struct evp_mac_ctx_st;

namespace nerve::crypto {

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) over a stream. For one thread.
class HmacSha256 {
 public:
  explicit HmacSha256(ByteView key);

  HmacSha256& update(ByteView bytes);
  /// The code of all updates; the object is used up.
  Sha256Digest finish();

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

/// SHA-256 of a key and a message, cut to 16 bytes, for many messages of one length under one key.
///
/// As hard to collide as 128 bits are for somebody who does not know the key; all messages must have the same
/// length. Made for speed: its context is set up once. For one thread.
class KeyedHash {
 public:
  using Digest = std::array<std::byte, 16>;

  explicit KeyedHash(ByteView key);

  Digest of(ByteView message);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  Bytes key_;
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace nerve::crypto
