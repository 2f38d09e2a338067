// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace nerve::test {

/// Throws what the system said of the call that has just failed.
[[noreturn]] inline void throw_errno(const std::string& what, int code = errno) {
  throw std::system_error(code, std::generic_category(), what);
}

}  // namespace nerve::test
