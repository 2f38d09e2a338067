// SPDX-License-Identifier: Apache-2.0
#include "nerve/crypto/kdf.h"

#include "openssl_result.h"

#include "nerve/core/error.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <array>

namespace nerve::crypto {

namespace {

constexpr std::size_t hkdf_size_max = 255 * std::size_t{32};
constexpr std::uint64_t scrypt_memory_bytes_max = std::uint64_t{2} << 30U;

struct FreeKdf {
  void operator()(EVP_KDF* algorithm) const noexcept { EVP_KDF_free(algorithm); }
  void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};

/// A parameter of OpenSSL that is only read; its interface is not const, and takes no null for no bytes.
OSSL_PARAM octet_parameter(const char* name, ByteView bytes) {
  static std::byte none{};
  std::byte* begin = bytes.empty() ? &none : const_cast<std::byte*>(bytes.data());
  return OSSL_PARAM_construct_octet_string(name, begin, bytes.size());
}

}  // namespace

Secret hkdf_sha256(ByteView key, ByteView salt, std::string_view info, std::size_t size) {
  if (size == 0 || size > hkdf_size_max) throw ValidationError("HKDF-SHA256 makes keys of 1 to 8160 bytes");
  const std::unique_ptr<EVP_KDF, FreeKdf> algorithm(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, FreeKdf> context(algorithm ? EVP_KDF_CTX_new(algorithm.get()) : nullptr);
  require(context ? 1 : 0, "HKDF-SHA256");
  std::array<char, 7> digest{"SHA256"};
  const std::array parameters{OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
                              octet_parameter("key", key), octet_parameter("salt", salt),
                              octet_parameter("info", as_bytes(info)), OSSL_PARAM_construct_end()};
  Secret derived(size);
  require(EVP_KDF_derive(context.get(), writable_octets(derived.writable()), size, parameters.data()),
          "HKDF-SHA256");
  return derived;
}

Secret scrypt(const Secret& passphrase, ByteView salt, const ScryptCost& cost, std::size_t size) {
  const bool is_valid = cost.log2_n >= 1 && cost.log2_n < 32 && cost.r > 0 && cost.p > 0 && size > 0;
  const std::uint64_t n = std::uint64_t{1} << (is_valid ? cost.log2_n : 1U);
  const std::uint64_t memory_bytes = 128 * cost.r * (n + cost.p + 2);
  if (!is_valid || memory_bytes > scrypt_memory_bytes_max) {
    throw ValidationError("scrypt has a cost that is not permitted or takes more than 2 GiB of memory");
  }
  Secret derived(size);
  require(EVP_PBE_scrypt(passphrase.reveal_text().data(), passphrase.size(), octets(salt), salt.size(), n,
                         cost.r, cost.p, memory_bytes, writable_octets(derived.writable()), size),
          "scrypt");
  return derived;
}

}  // namespace nerve::crypto
