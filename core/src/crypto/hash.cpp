// SPDX-License-Identifier: Apache-2.0
#include "nerve/crypto/hash.h"

#include "../core/readable_file.h"
#include "openssl_result.h"
#include "short_sha256.h"

#include "nerve/core/error.h"
#include "nerve/core/progress.h"

#include <openssl/evp.h>

#include <atomic>
#include <cstdint>
#include <cstring>

namespace nerve::crypto {

namespace {

constexpr std::size_t block_bytes = 256 * 1024;
constexpr std::size_t short_bytes_max = 16 * 1024;
constexpr std::size_t short_bytes_total_max = 256 * 1024;

/// What this process has hashed without OpenSSL.
std::atomic<std::size_t> short_bytes_total = 0;

/// OpenSSL takes a tenth of the time for each byte, and 2 ms for its first digest.
bool openssl_pays(std::size_t size) {
  return size > short_bytes_max || short_bytes_total.load(std::memory_order_relaxed) > short_bytes_total_max;
}

Sha256Digest hash_without_openssl(ByteView bytes) {
  short_bytes_total.fetch_add(bytes.size(), std::memory_order_relaxed);
  return short_sha256(bytes);
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256::~Sha256() {
  forget_beginning();
}

Sha256& Sha256::update(ByteView bytes) {
  if (context_ == nullptr && !openssl_pays(beginning_.size() + bytes.size())) {
    // All at once, so that growing leaves no copy behind that is not wiped.
    beginning_.reserve(short_bytes_max);
    beginning_.insert(beginning_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  if (context_ == nullptr) {
    context_.reset(EVP_MD_CTX_new());
    require(context_ ? EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) : 0, "SHA-256");
    require(EVP_DigestUpdate(context_.get(), beginning_.data(), beginning_.size()), "SHA-256");
    forget_beginning();
  }
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), "SHA-256");
  return *this;
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  if (context_ == nullptr) {
    digest = hash_without_openssl(beginning_);
    forget_beginning();
  } else {
    unsigned size = 0;
    require(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size),
            "SHA-256");
    context_.reset();
  }
  return digest;
}

void Sha256::forget_beginning() noexcept {
  if (!beginning_.empty()) ::explicit_bzero(beginning_.data(), beginning_.size());
  beginning_.clear();
}

Sha256Digest sha256(ByteView bytes) {
  return openssl_pays(bytes.size()) ? Sha256().update(bytes).finish() : hash_without_openssl(bytes);
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
