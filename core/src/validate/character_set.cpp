// SPDX-License-Identifier: Apache-2.0
#include "character_set.h"

#include "ascii.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <cstddef>

namespace nerve::validate {

CharacterSet::CharacterSet(std::string_view set) : text_(set) {
  constexpr const char* hint = "Write it as in a-z0-9_, with the lower end of each range first.";
  if (!std::all_of(set.begin(), set.end(), is_ascii)) {
    throw ValidationError("a character set of a validation rule is not ASCII", hint);
  }
  for (std::size_t i = 0; i < set.size(); ++i) {
    const bool is_range = i + 2 < set.size() && set[i + 1] == '-';
    const char first = set[i];
    const char last = is_range ? set[i + 2] : first;
    if (last < first)
      throw ValidationError("a range of the character set " + text_ + " runs backwards", hint);
    for (int c = first; c <= last; ++c) members_.set(static_cast<std::size_t>(c));
    if (is_range) i += 2;
  }
}

bool CharacterSet::holds_all_of(std::string_view text) const {
  return std::all_of(text.begin(), text.end(),
                     [this](char c) { return is_ascii(c) && members_.test(static_cast<std::size_t>(c)); });
}

}  // namespace nerve::validate
