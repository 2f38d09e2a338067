// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/slug.h"

#include <algorithm>

namespace nerve::validate {

namespace {

bool is_slug_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool is_slug(std::string_view text) noexcept {
  return !text.empty() && text.size() <= slug_length_max && is_slug_character(text.front()) &&
         is_slug_character(text.back()) && text.find("--") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return is_slug_character(c) || c == '-'; });
}

std::string slug_of(std::string_view name) {
  std::string slug;
  for (const char c : name) {
    const char lower = lower_case(c);
    if (is_slug_character(lower)) {
      slug += lower;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  slug.resize(std::min(slug.size(), slug_length_max));
  while (slug.ends_with('-')) slug.pop_back();
  return slug;
}

}  // namespace nerve::validate
