// SPDX-License-Identifier: Apache-2.0
#include "values/valid_text.h"

#include "nerve/core/text.h"

namespace nerve::convert {

std::string valid_text(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const CodePoint first = first_code_point(text);
    valid += first.valid ? text.substr(0, first.size_bytes) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(first.size_bytes);
  }
  return valid;
}

}  // namespace nerve::convert
