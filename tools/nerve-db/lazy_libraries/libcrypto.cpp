// SPDX-License-Identifier: Apache-2.0
// OpenSSL's libcrypto at first use: loading it takes as long as all else that a short command does, and most
// commands never need it. What core/src/crypto calls of it is listed here; the test cli_start_up fails where
// something is missing.
#include "lazy_libraries/lazy_library.h"

#include <openssl/evp.h>

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

#undef LAZY
