// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"

#include <array>
#include <cstddef>
#include <memory>

struct evp_cipher_ctx_st;

namespace nerve::crypto {

/// AES-256-GCM (NIST SP 800-38D) with one key: encryption that is authenticated, with 12-byte nonces and
/// 16-byte tags. For one thread.
///
/// Under one key no nonce may ever be used twice: that reveals the texts and lets anybody forge. Its maker
/// sees to that by a counter, and by keys that are derived for one purpose.
class Aes256Gcm {
 public:
  static constexpr std::size_t key_bytes = 32;
  static constexpr std::size_t tag_bytes = 16;
  using Nonce = std::array<std::byte, 12>;

  /// Throws ValidationError unless `key` has 32 bytes.
  explicit Aes256Gcm(ByteView key);

  /// Appends ciphertext and tag of `plaintext` to `sealed`. `associated` is authenticated, and not stored.
  void seal(const Nonce& nonce, ByteView associated, ByteView plaintext, Bytes& sealed);

  /// Puts the text of what seal() appended into `plaintext`. False, and `plaintext` empty, when the key, the
  /// nonce, the associated bytes or the ciphertext are others than those it was sealed with.
  [[nodiscard]] bool open(const Nonce& nonce, ByteView associated, ByteView sealed, Bytes& plaintext);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };
  using Context = std::unique_ptr<evp_cipher_ctx_st, Free>;

  Context sealing_;
  Context opening_;
};

}  // namespace nerve::crypto
