// SPDX-License-Identifier: Apache-2.0
#include "nerve/crypto/mac.h"

#include "openssl_result.h"

#include <openssl/evp.h>

#include <algorithm>

namespace nerve::crypto {

namespace {

constexpr std::string_view hmac_name = "HMAC-SHA-256";
constexpr std::string_view keyed_name = "SHA-256";

struct FreeMac {
  void operator()(EVP_MAC* algorithm) const noexcept { EVP_MAC_free(algorithm); }
};

}  // namespace

void HmacSha256::Free::operator()(evp_mac_ctx_st* context) const noexcept {
  EVP_MAC_CTX_free(context);
}

HmacSha256::HmacSha256(ByteView key) {
  const std::unique_ptr<EVP_MAC, FreeMac> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  if (algorithm) context_.reset(EVP_MAC_CTX_new(algorithm.get()));
  std::array<char, 7> digest{"SHA256"};
  const std::array parameters{OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
                              OSSL_PARAM_construct_end()};
  require(context_ ? EVP_MAC_init(context_.get(), octets(key), key.size(), parameters.data()) : 0, hmac_name);
}

HmacSha256& HmacSha256::update(ByteView bytes) {
  require(EVP_MAC_update(context_.get(), octets(bytes), bytes.size()), hmac_name);
  return *this;
}

Sha256Digest HmacSha256::finish() {
  Sha256Digest code{};
  std::size_t size = 0;
  require(EVP_MAC_final(context_.get(), writable_octets(code), &size, code.size()), hmac_name);
  return code;
}

void KeyedHash::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

KeyedHash::KeyedHash(ByteView key) : key_(key.begin(), key.end()), context_(EVP_MD_CTX_new()) {
  require(context_ ? EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) : 0, keyed_name);
}

KeyedHash::Digest KeyedHash::of(ByteView message) {
  Sha256Digest full{};
  // Without a type the context begins anew with the algorithm that it has looked up already.
  require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr), keyed_name);
  require(EVP_DigestUpdate(context_.get(), key_.data(), key_.size()), keyed_name);
  require(EVP_DigestUpdate(context_.get(), message.data(), message.size()), keyed_name);
  require(EVP_DigestFinal_ex(context_.get(), writable_octets(full), nullptr), keyed_name);
  Digest digest{};
  std::copy_n(full.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace nerve::crypto
