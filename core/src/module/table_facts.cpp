// SPDX-License-Identifier: Apache-2.0
#include "nerve/table_facts.h"

namespace nerve {

std::string_view to_string(Classification classification) noexcept {
  switch (classification) {
    case Classification::public_data:
      return "public";
    case Classification::internal:
      return "internal";
    case Classification::confidential:
      return "confidential";
    case Classification::critical:
      return "critical";
  }
  return "critical";
}

}  // namespace nerve
