// SPDX-License-Identifier: Apache-2.0
#include "lazy_libraries/lazy_library.h"

#include "nerve/core/error.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace nerve::cli {

namespace {

[[noreturn]] void throw_unavailable(std::string_view what, std::string_view package) {
  throw Error(ErrorKind::unavailable, fmt::format("a shared library cannot be used: {}", what),
              fmt::format("Install or repair Debian's package {}, then run this again.", package));
}

/// What the last call of dlopen or dlsym failed of; it begins with the library's name.
std::string_view reason() {
  const char* text = ::dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps one for each thread
  return text != nullptr ? text : "unknown reason";
}

}  // namespace

LazyLibrary::LazyLibrary(const char* file, const char* package)
    : file_(file), package_(package), handle_(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw_unavailable(reason(), package_);
}

void* LazyLibrary::address(const char* name) const {
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr) throw_unavailable(fmt::format("{} has no function {}", file_, name), package_);
  return found;
}

}  // namespace nerve::cli
