// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/validate/rules.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::validate {

/// The rules of rules.h for what a program is given field by field instead of as JSON: reads the fields one
/// after the other, returns each in its canonical form, and throws all that is wrong at the end.
///
///     Fields fields("tenant");
///     tenant.name = fields.name("name", given.name, 255);
///     tenant.region = fields.text("region", given.region, Field().one_of({"eu", "us"}));
///     tenant.billing_email = fields.optional_email("billing_email", given.billing_email);
///     fields.finish();
///
/// What is returned for a field that is wrong is not to be used.
class Fields {
 public:
  /// `record` is what the message calls it: "tenant".
  explicit Fields(std::string_view record) : record_(record) {}

  std::string text(std::string_view field, std::string_view text, const Field& rules);
  /// For a field that may be left out.
  std::optional<std::string> optional_text(std::string_view field, const std::optional<std::string>& text,
                                           const Field& rules);
  /// `rules` are those of the list; the items are found at "events[2]".
  std::vector<std::string> texts(std::string_view field, const std::vector<std::string>& texts,
                                 const Field& rules);
  std::int64_t integer(std::string_view field, std::int64_t number, const Field& rules);

  // The fields that most records have.
  std::string name(std::string_view field, std::string_view given, std::size_t length_max) {
    return text(field, given, Field().name().length(1, length_max));
  }
  std::string slug(std::string_view field, std::string_view given) {
    return text(field, given, Field().slug());
  }
  std::string domain(std::string_view field, std::string_view given) {
    return text(field, given, Field().domain());
  }
  std::string email(std::string_view field, std::string_view given) {
    return text(field, given, Field().email());
  }
  std::string https_url(std::string_view field, std::string_view given, std::size_t length_max) {
    return text(field, given, Field().https_url().length(1, length_max));
  }
  std::optional<std::string> optional_domain(std::string_view field,
                                             const std::optional<std::string>& given) {
    return optional_text(field, given, Field().domain());
  }
  std::optional<std::string> optional_email(std::string_view field, const std::optional<std::string>& given) {
    return optional_text(field, given, Field().email());
  }

  /// A rule of one's own: `rule` is its name, and `message` is read after the field's name ("is too late").
  void require(bool holds, std::string_view field, std::string_view rule, std::string_view message);
  /// Throws ValidationError "record NAME: 3 fields are wrong" with every rule that was broken, where there is
  /// any.
  void finish() const;

 private:
  void read(std::string_view field, Json& value, const Field& rules);

  std::string record_;
  std::vector<Violation> violations_;
};

}  // namespace nerve::validate
