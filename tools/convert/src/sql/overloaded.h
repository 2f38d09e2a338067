// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nerve::convert::sql {

/// Several lambdas as one function, to visit a variant with.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace nerve::convert::sql
