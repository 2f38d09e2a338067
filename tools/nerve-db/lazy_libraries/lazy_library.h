// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nerve::cli {

/// A shared library of the system that is loaded at its first use instead of at the program's start, and then
/// stays. It is found as the program's other libraries are.
class LazyLibrary {
 public:
  /// Loads `file`. Where that fails it throws Error (unavailable) that names the file and, as its remedy, the
  /// Debian package that holds it.
  LazyLibrary(const char* file, const char* package);

  /// The function of this name, which has the type Function. Throws the same where the library has none.
  template <typename Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(address(name));
  }

 private:
  void* address(const char* name) const;

  const char* file_;
  const char* package_;
  void* handle_;
};

}  // namespace nerve::cli

/// Defines the C function `name`, which a header of the library has declared, as one that calls the library's
/// own. `library` is a function that returns the LazyLibrary; parameters and arguments stand in parentheses.
/// A type that differs from the header's declaration does not compile.
#define NERVE_LAZY_FUNCTION(library, result, name, parameters, arguments)            \
  extern "C" result name parameters {                                                \
    static const auto loaded_function = library().function<decltype(::name)>(#name); \
    return loaded_function arguments;                                                \
  }
