// SPDX-License-Identifier: Apache-2.0
#include "values/row_digest.h"

// The functions come with the header, so that no library is loaded for them.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace nerve::convert {

RowDigest digest_of(ByteView row) noexcept {
  const XXH128_hash_t hash = XXH3_128bits(row.data(), row.size());
  return {hash.low64, hash.high64};
}

RowDigest DigestedRow::finish() noexcept {
  const RowDigest digest = digest_of(octets_.view());
  octets_.clear();
  return digest;
}

}  // namespace nerve::convert
