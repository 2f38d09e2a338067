// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.h"

namespace nerve::test {

/// For a program that runs with fault_inject.cpp: unless it is told of a fault, its syncs are not made and
/// nothing else changes.
inline ProcessOptions preloaded() {
  ProcessOptions options;
  options.env["LD_PRELOAD"] = FAULT_LIBRARY;
  // The sanitizers want to be loaded first; the library needs nothing of them. Elsewhere this changes
  // nothing.
  options.env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0";
  return options;
}

}  // namespace nerve::test
