// SPDX-License-Identifier: Apache-2.0
// GNU libidn2 at first use: it comes with the tables of Unicode, and few commands read a domain name.
#include "lazy_libraries/lazy_library.h"

#include <idn2.h>

namespace {

const nerve::cli::LazyLibrary& libidn2() {
  static const nerve::cli::LazyLibrary library("libidn2.so.0", "libidn2-0");
  return library;
}

}  // namespace

#define LAZY(result, name, parameters, arguments) \
  NERVE_LAZY_FUNCTION(libidn2, result, name, parameters, arguments)

LAZY(void, idn2_free, (void* memory), (memory))
LAZY(const char*, idn2_strerror, (int code), (code))
LAZY(int, idn2_lookup_u8, (const uint8_t* source, uint8_t** name, int flags), (source, name, flags))
LAZY(int, idn2_to_unicode_8z8z, (const char* source, char** name, int flags), (source, name, flags))

#undef LAZY
