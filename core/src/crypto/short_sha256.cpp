// SPDX-License-Identifier: Apache-2.0
#include "short_sha256.h"

#include <sha2.h>

namespace nerve::crypto {

Sha256Digest short_sha256(ByteView bytes) {
  Sha256Digest digest{};
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  SHA256Final(reinterpret_cast<unsigned char*>(digest.data()), &context);
  return digest;
}

}  // namespace nerve::crypto
