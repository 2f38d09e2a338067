// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::validate {

/// Reads the fields of a record one after the other, returns each in its canonical form, and throws all that
/// is wrong at the end: for what a program is given field by field (a RuleSet is for a record in JSON).
///
///     Fields fields("tenant");
///     tenant.name = fields.name("name", given.name, 255);
///     tenant.billing_email = fields.optional_email("billing_email", given.billing_email);
///     fields.finish();
///
/// What is returned for a field that is wrong is not to be used.
class Fields {
 public:
  /// `record` is what the message calls it: "tenant".
  explicit Fields(std::string_view record) : record_(record) {}

  /// Text of one line, without what cannot be seen, of 1 to `length_max` characters.
  std::string name(std::string_view field, std::string_view text, std::size_t length_max);
  /// As is_slug() says.
  std::string slug(std::string_view field, std::string_view text);
  std::string domain(std::string_view field, std::string_view text);
  std::string email(std::string_view field, std::string_view text);
  /// An https URL with a host, and no user or password in it.
  std::string https_url(std::string_view field, std::string_view text, std::size_t length_max);

  /// The same for a field that may be left out.
  std::optional<std::string> optional_domain(std::string_view field, const std::optional<std::string>& text);
  std::optional<std::string> optional_email(std::string_view field, const std::optional<std::string>& text);

  /// A rule of one's own: `rule` is its name, and `message` is read after the field's name ("is too late").
  void require(bool holds, std::string_view field, std::string_view rule, std::string_view message);
  /// Throws ValidationError with every rule that was broken, where there is any.
  void finish() const;

 private:
  void add(std::string_view field, Violation violation);

  std::string record_;
  std::vector<Violation> violations_;
};

}  // namespace nerve::validate
