// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::tenancy {

/// Reads the fields of a record one after the other and throws all that is wrong at the end.
class Fields {
 public:
  /// `record` is what messages call it: "tenant".
  explicit Fields(std::string_view record) : record_(record) {}

  /// Text of one line, without what cannot be seen, of 1 to `length_max` characters.
  std::string name(std::string_view field, std::string_view text, std::size_t length_max);
  /// Lower-case letters, digits and single hyphens between them, of 1 to 63 characters.
  std::string slug(std::string_view text);
  std::optional<std::string> domain(std::string_view field, const std::optional<std::string>& text);
  std::optional<std::string> email(std::string_view field, const std::optional<std::string>& text);
  /// An https URL with a host, and no user or password in it.
  std::string https_url(std::string_view field, std::string_view text, std::size_t length_max);

  void require(bool holds, std::string_view field, std::string_view rule, std::string_view message);
  /// Throws ValidationError where a rule was broken.
  void finish(std::string_view hint) const;

 private:
  void add(std::string_view field, Violation violation);

  std::string record_;
  std::vector<Violation> violations_;
};

/// A slug made of a name: its ASCII letters and digits in lower case, a hyphen for whatever is between them.
/// Empty where it has none.
std::string slug_of(std::string_view name);

}  // namespace nerve::tenancy
