// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <string>
#include <string_view>

namespace nerve::validate {

/// A set of ASCII characters, written as in "a-z0-9_.-".
class CharacterSet {
 public:
  /// Throws ValidationError for a range that runs backwards and for what is not ASCII.
  explicit CharacterSet(std::string_view set);

  bool holds_all_of(std::string_view text) const;

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::bitset<128> members_;
};

}  // namespace nerve::validate
