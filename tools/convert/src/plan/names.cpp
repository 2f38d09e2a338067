// SPDX-License-Identifier: Apache-2.0
#include "plan/names.h"

#include "values/valid_text.h"

#include <algorithm>
#include <array>

namespace nerve::convert {
namespace {

constexpr std::array<std::string_view, 6> system_columns{"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};

/// The first bytes of a text, and no part of a character.
std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

std::string NameSpace::take(std::string_view wanted) {
  std::string folded = wanted.empty() ? "_" : valid_text(wanted);
  if (policy_ == CasePolicy::lower) {
    for (char& c : folded) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  std::string name(cut(folded, name_bytes_max));
  for (int number = 2; !taken_.insert(name).second; ++number) {
    const std::string suffix = "_" + std::to_string(number);
    name = std::string(cut(folded, name_bytes_max - suffix.size())) + suffix;
  }
  return name;
}

bool is_system_column(std::string_view name) noexcept {
  return std::ranges::find(system_columns, name) != system_columns.end();
}

NameSpace column_names(CasePolicy policy) {
  NameSpace names(policy);
  for (const std::string_view name : system_columns) names.reserve(name);
  return names;
}

}  // namespace nerve::convert
