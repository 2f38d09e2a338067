// SPDX-License-Identifier: Apache-2.0
// Zstandard at first use: only backups are compressed.
#include "lazy_libraries/lazy_library.h"

#include <zstd.h>

namespace {

const nerve::cli::LazyLibrary& libzstd() {
  static const nerve::cli::LazyLibrary library("libzstd.so.1", "libzstd1");
  return library;
}

}  // namespace

#define LAZY(result, name, parameters, arguments) \
  NERVE_LAZY_FUNCTION(libzstd, result, name, parameters, arguments)

LAZY(ZSTD_CCtx*, ZSTD_createCCtx, (void), ())
LAZY(size_t, ZSTD_freeCCtx, (ZSTD_CCtx * context), (context))
LAZY(size_t, ZSTD_CCtx_setParameter, (ZSTD_CCtx * context, ZSTD_cParameter parameter, int value),
     (context, parameter, value))
LAZY(size_t, ZSTD_compressBound, (size_t size), (size))
LAZY(size_t, ZSTD_compress2, (ZSTD_CCtx * context, void* to, size_t room, const void* from, size_t size),
     (context, to, room, from, size))
LAZY(ZSTD_DCtx*, ZSTD_createDCtx, (void), ())
LAZY(size_t, ZSTD_freeDCtx, (ZSTD_DCtx * context), (context))
LAZY(size_t, ZSTD_decompressDCtx, (ZSTD_DCtx * context, void* to, size_t room, const void* from, size_t size),
     (context, to, room, from, size))
LAZY(unsigned long long, ZSTD_getFrameContentSize, (const void* from, size_t size), (from, size))
LAZY(size_t, ZSTD_findFrameCompressedSize, (const void* from, size_t size), (from, size))
LAZY(unsigned, ZSTD_isError, (size_t result), (result))
LAZY(const char*, ZSTD_getErrorName, (size_t result), (result))

#undef LAZY
