// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nerve::test {

/// Of so many faults or kills of a long test one is tried. All of them show what is left on disk; a build
/// with sanitizers, several times slower, is there for errors of memory, which a third shows.
#ifdef __SANITIZE_ADDRESS__
inline constexpr int tried_every = 3;
#else
inline constexpr int tried_every = 1;
#endif

}  // namespace nerve::test
