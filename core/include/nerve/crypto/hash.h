// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>

struct evp_md_ctx_st;

namespace nerve {
class ProgressSink;
}

namespace nerve::crypto {

/// A SHA-256 digest; to_hex() gives its text.
using Sha256Digest = std::array<std::byte, 32>;

/// SHA-256 (FIPS 180-4) over a stream.
///
/// Up to 16 KiB it is computed here, and what is longer by OpenSSL, whose first digest in a process takes 2
/// ms but each further byte far less. Bytes that had to be kept for that are wiped.
class Sha256 {
 public:
  Sha256() = default;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  Sha256& update(ByteView bytes);
  /// The digest of all updates. Afterwards the stream begins anew.
  Sha256Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };

  void forget_beginning() noexcept;

  Bytes beginning_;                               ///< all of the stream while `context_` is empty
  std::unique_ptr<evp_md_ctx_st, Free> context_;  ///< OpenSSL's state of a long stream
};

Sha256Digest sha256(ByteView bytes);

/// The digest of a file, read in blocks; reports bytes as "hashing". Throws NotFoundError, DeniedError, or
/// Error where reading fails, and CancelledError when interrupted.
Sha256Digest sha256_file(const std::filesystem::path& path, ProgressSink* progress = nullptr);

}  // namespace nerve::crypto
