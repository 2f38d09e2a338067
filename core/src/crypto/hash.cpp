// SPDX-License-Identifier: Apache-2.0
#include "nerve/crypto/hash.h"

#include "../core/readable_file.h"

#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <openssl/evp.h>

#include <cstdint>

namespace nerve::crypto {

namespace {

constexpr std::size_t block_bytes = 256 * 1024;

void require(int result) {
  if (result != 1) throw Error(ErrorKind::failure, "OpenSSL cannot compute SHA-256");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1 ? 1 : 0);
}

Sha256& Sha256::update(ByteView bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
  return *this;
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size));
  require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  return digest;
}

Sha256Digest sha256(ByteView bytes) {
  return Sha256().update(bytes).finish();
}

Sha256Digest sha256_file(const std::filesystem::path& path, ProgressSink* progress) {
  const ReadableFile file("file", path);
  const auto total = static_cast<std::uint64_t>(file.status().st_size);
  Sha256 hash;
  Bytes block(block_bytes);
  std::uint64_t done = 0;
  while (const std::size_t count = file.read_some(block)) {
    hash.update(ByteView(block).first(count));
    done += count;
    if (progress != nullptr) progress->update("hashing", done, total);
    throw_if_interrupted();
  }
  return hash.finish();
}

}  // namespace nerve::crypto
