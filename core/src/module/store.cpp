// SPDX-License-Identifier: Apache-2.0
#include "nerve/store.h"

namespace nerve {

std::string_view to_string(Store store) noexcept {
  return store == Store::core ? "core" : "secure";
}

std::string_view to_string(Placement placement) noexcept {
  switch (placement) {
    case Placement::core:
      return "core";
    case Placement::secure:
      return "secure";
    case Placement::both:
      return "both";
  }
  return "both";
}

}  // namespace nerve
