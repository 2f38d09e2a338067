// SPDX-License-Identifier: Apache-2.0
#include "nerve/crypto/aead.h"

#include "openssl_result.h"

#include "nerve/core/error.h"

#include <openssl/evp.h>

#include <algorithm>
#include <climits>

namespace nerve::crypto {

namespace {

constexpr std::string_view gcm_name = "AES-256-GCM";

int size_of(ByteView bytes) {
  if (bytes.size() > INT_MAX) throw ValidationError("a message for AES-256-GCM is longer than 2 GiB");
  return static_cast<int>(bytes.size());
}

}  // namespace

void Aes256Gcm::Free::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

Aes256Gcm::Aes256Gcm(ByteView key) : sealing_(EVP_CIPHER_CTX_new()), opening_(EVP_CIPHER_CTX_new()) {
  if (key.size() != key_bytes) throw ValidationError("a key of AES-256-GCM has 32 bytes");
  require(sealing_ && opening_ ? 1 : 0, gcm_name);
  require(EVP_EncryptInit_ex(sealing_.get(), EVP_aes_256_gcm(), nullptr, octets(key), nullptr), gcm_name);
  require(EVP_DecryptInit_ex(opening_.get(), EVP_aes_256_gcm(), nullptr, octets(key), nullptr), gcm_name);
}

void Aes256Gcm::seal(const Nonce& nonce, ByteView associated, ByteView plaintext, Bytes& sealed) {
  EVP_CIPHER_CTX* context = sealing_.get();
  const std::size_t begin = sealed.size();
  sealed.resize(begin + plaintext.size() + tag_bytes);
  unsigned char* to = writable_octets(sealed) + begin;
  int done = 0;
  require(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, octets(nonce)), gcm_name);
  require(EVP_EncryptUpdate(context, nullptr, &done, octets(associated), size_of(associated)), gcm_name);
  require(EVP_EncryptUpdate(context, to, &done, octets(plaintext), size_of(plaintext)), gcm_name);
  require(EVP_EncryptFinal_ex(context, to + done, &done), gcm_name);
  require(
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes), to + plaintext.size()),
      gcm_name);
}

bool Aes256Gcm::open(const Nonce& nonce, ByteView associated, ByteView sealed, Bytes& plaintext) {
  if (sealed.size() < tag_bytes) {
    plaintext.clear();
    return false;
  }
  EVP_CIPHER_CTX* context = opening_.get();
  const ByteView ciphertext = sealed.first(sealed.size() - tag_bytes);
  const ByteView tag = sealed.last(tag_bytes);
  std::array<unsigned char, tag_bytes> expected{};
  std::copy_n(octets(tag), tag_bytes, expected.begin());
  plaintext.resize(ciphertext.size());
  unsigned char* to = writable_octets(plaintext);
  int done = 0;
  require(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, octets(nonce)), gcm_name);
  require(EVP_DecryptUpdate(context, nullptr, &done, octets(associated), size_of(associated)), gcm_name);
  require(EVP_DecryptUpdate(context, to, &done, octets(ciphertext), size_of(ciphertext)), gcm_name);
  require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes), expected.data()),
          gcm_name);
  if (EVP_DecryptFinal_ex(context, to + done, &done) == 1) return true;
  plaintext.clear();
  return false;
}

}  // namespace nerve::crypto
