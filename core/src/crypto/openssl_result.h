// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nerve::crypto {

/// Throws where OpenSSL did not answer 1: it has no memory, or a configuration without `what`.
inline void require(int result, std::string_view what) {
  if (result == 1) return;
  throw Error(ErrorKind::failure, "OpenSSL cannot compute " + std::string(what),
              "Look whether /etc/ssl/openssl.cnf or OPENSSL_CONF restricts what OpenSSL may do.");
}

inline const unsigned char* octets(ByteView bytes) noexcept {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

inline unsigned char* writable_octets(std::span<std::byte> bytes) noexcept {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace nerve::crypto
