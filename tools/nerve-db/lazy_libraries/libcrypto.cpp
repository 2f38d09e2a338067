// SPDX-License-Identifier: Apache-2.0
// OpenSSL's libcrypto at first use: loading it takes as long as all else that a short command does, and most
// commands never need it. What core/src/crypto calls of it is listed here; the test cli_start_up fails where
// something is missing.
#include "lazy_libraries/lazy_library.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

namespace {

const nerve::cli::LazyLibrary& libcrypto() {
  static const nerve::cli::LazyLibrary library("libcrypto.so.3", "libssl3");
  return library;
}

}  // namespace

#define LAZY(result, name, parameters, arguments) \
  NERVE_LAZY_FUNCTION(libcrypto, result, name, parameters, arguments)

LAZY(EVP_MD_CTX*, EVP_MD_CTX_new, (), ())
LAZY(void, EVP_MD_CTX_free, (EVP_MD_CTX * context), (context))
LAZY(const EVP_MD*, EVP_sha256, (), ())
LAZY(int, EVP_DigestInit_ex, (EVP_MD_CTX * context, const EVP_MD* type, ENGINE* engine),
     (context, type, engine))
LAZY(int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void* bytes, size_t count), (context, bytes, count))
LAZY(int, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char* digest, unsigned int* size),
     (context, digest, size))

LAZY(EVP_MAC*, EVP_MAC_fetch, (OSSL_LIB_CTX * library, const char* name, const char* properties),
     (library, name, properties))
LAZY(void, EVP_MAC_free, (EVP_MAC * algorithm), (algorithm))
LAZY(EVP_MAC_CTX*, EVP_MAC_CTX_new, (EVP_MAC * algorithm), (algorithm))
LAZY(void, EVP_MAC_CTX_free, (EVP_MAC_CTX * context), (context))
LAZY(int, EVP_MAC_init,
     (EVP_MAC_CTX * context, const unsigned char* key, size_t size, const OSSL_PARAM* parameters),
     (context, key, size, parameters))
LAZY(int, EVP_MAC_update, (EVP_MAC_CTX * context, const unsigned char* bytes, size_t count),
     (context, bytes, count))
LAZY(int, EVP_MAC_final, (EVP_MAC_CTX * context, unsigned char* code, size_t* size, size_t room),
     (context, code, size, room))

LAZY(EVP_KDF*, EVP_KDF_fetch, (OSSL_LIB_CTX * library, const char* name, const char* properties),
     (library, name, properties))
LAZY(void, EVP_KDF_free, (EVP_KDF * algorithm), (algorithm))
LAZY(EVP_KDF_CTX*, EVP_KDF_CTX_new, (EVP_KDF * algorithm), (algorithm))
LAZY(void, EVP_KDF_CTX_free, (EVP_KDF_CTX * context), (context))
LAZY(int, EVP_KDF_derive,
     (EVP_KDF_CTX * context, unsigned char* key, size_t size, const OSSL_PARAM* parameters),
     (context, key, size, parameters))
LAZY(OSSL_PARAM, OSSL_PARAM_construct_utf8_string, (const char* key, char* text, size_t size),
     (key, text, size))
LAZY(OSSL_PARAM, OSSL_PARAM_construct_octet_string, (const char* key, void* bytes, size_t size),
     (key, bytes, size))
LAZY(OSSL_PARAM, OSSL_PARAM_construct_end, (), ())
LAZY(int, EVP_PBE_scrypt,
     (const char* passphrase, size_t passphrase_size, const unsigned char* salt, size_t salt_size, uint64_t n,
      uint64_t r, uint64_t p, uint64_t memory_max, unsigned char* key, size_t size),
     (passphrase, passphrase_size, salt, salt_size, n, r, p, memory_max, key, size))

LAZY(EVP_CIPHER_CTX*, EVP_CIPHER_CTX_new, (), ())
LAZY(void, EVP_CIPHER_CTX_free, (EVP_CIPHER_CTX * context), (context))
LAZY(const EVP_CIPHER*, EVP_aes_256_gcm, (), ())
LAZY(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * context, int type, int size, void* value),
     (context, type, size, value))
LAZY(int, EVP_EncryptInit_ex,
     (EVP_CIPHER_CTX * context, const EVP_CIPHER* type, ENGINE* engine, const unsigned char* key,
      const unsigned char* nonce),
     (context, type, engine, key, nonce))
LAZY(int, EVP_EncryptUpdate,
     (EVP_CIPHER_CTX * context, unsigned char* to, int* done, const unsigned char* from, int size),
     (context, to, done, from, size))
LAZY(int, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * context, unsigned char* to, int* done), (context, to, done))
LAZY(int, EVP_DecryptInit_ex,
     (EVP_CIPHER_CTX * context, const EVP_CIPHER* type, ENGINE* engine, const unsigned char* key,
      const unsigned char* nonce),
     (context, type, engine, key, nonce))
LAZY(int, EVP_DecryptUpdate,
     (EVP_CIPHER_CTX * context, unsigned char* to, int* done, const unsigned char* from, int size),
     (context, to, done, from, size))
LAZY(int, EVP_DecryptFinal_ex, (EVP_CIPHER_CTX * context, unsigned char* to, int* done), (context, to, done))

#undef LAZY
