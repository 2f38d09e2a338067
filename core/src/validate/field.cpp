// SPDX-License-Identifier: Apache-2.0
#include "character_set.h"
#include "findings.h"
#include "json_integer.h"

#include "nerve/core/id.h"
#include "nerve/core/text.h"
#include "nerve/core/time.h"
#include "nerve/validate/rules.h"
#include "nerve/validate/slug.h"
#include "nerve/validate/text.h"
#include "nerve/validate/url.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace nerve::validate {
namespace {

constexpr std::size_t choices_shown_max = 20;
constexpr std::string_view slug_message =
    "must be lower-case letters, digits and single hyphens between them, at most {} characters";

bool refuse(Findings& findings, std::string_view rule, std::string_view message) {
  findings.add(rule, message);
  return false;
}

/// The text of `value`, or nullptr after a violation where it is not text that both engines can keep.
const std::string* text_of(const Json& value, Findings& findings) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) {
    findings.add("type", "must be text");
  } else if (text->find('\0') != std::string::npos) {
    findings.add("nul", "must not have a NUL character");
  } else if (!is_valid_utf8(*text)) {
    findings.add("utf8", "must be valid UTF-8");
  } else {
    return text;
  }
  return nullptr;
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(first_code_point(text).size_bytes);
  return count;
}

/// A type that is text which `parse(text)` reads without ValidationError; the canonical form is what it
/// returns. `message` is for a parser whose error has no violation.
template <class Parse>
auto parsed_type(std::string_view rule, Parse parse, std::string_view message = {}) {
  return [rule, parse, message](Json& value, Findings& findings) {
    const std::string* text = text_of(value, findings);
    if (text == nullptr) return false;
    try {
      value = parse(*text);
      return true;
    } catch (const ValidationError& error) {
      const std::vector<Violation>& found = error.violations();
      return refuse(findings, rule, found.empty() ? message : found.front().message);
    }
  };
}

bool is_within(const Json& value, std::int64_t low, std::int64_t high) {
  if (is_integer(value)) return value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
  const double number = value.get<double>();
  return number >= static_cast<double>(low) && number <= static_cast<double>(high);
}

std::string choices_message(const std::vector<std::string>& values) {
  const auto shown = static_cast<std::ptrdiff_t>(std::min(values.size(), choices_shown_max));
  const std::string list = fmt::format("{}", fmt::join(values.begin(), values.begin() + shown, ", "));
  if (values.size() <= choices_shown_max) return "must be one of " + list;
  return fmt::format("must be one of {} and {} more", list, values.size() - choices_shown_max);
}

}  // namespace

Field& Field::required() {
  is_required_ = true;
  return *this;
}

Field& Field::nullable() {
  is_nullable_ = true;
  return *this;
}

Field& Field::of_type(Type type) {
  type_ = std::move(type);
  return *this;
}

Field& Field::with(Check rule) {
  rules_.push_back(std::move(rule));
  return *this;
}

Field& Field::text() {
  return of_type([](const Json& value, Findings& findings) { return text_of(value, findings) != nullptr; });
}

Field& Field::integer() {
  return of_type([](const Json& value, Findings& findings) {
    return is_integer(value) || refuse(findings, "type", "must be an integer of 64 bits");
  });
}

Field& Field::real() {
  return of_type([](const Json& value, Findings& findings) {
    const bool is_finite = value.is_number() && std::isfinite(value.get<double>());
    return is_finite || refuse(findings, "type", "must be a finite number");
  });
}

Field& Field::boolean() {
  return of_type([](const Json& value, Findings& findings) {
    return value.is_boolean() || refuse(findings, "type", "must be true or false");
  });
}

Field& Field::timestamp() {
  return of_type(parsed_type(
      "timestamp", [](std::string_view text) { return Timestamp::parse(text).to_text(); },
      "must be a time such as 2024-05-17T08:30:00Z"));
}

Field& Field::id() {
  return of_type(parsed_type(
      "id", [](std::string_view text) { return Uuid::parse(text).to_string(); }, "must be a UUID"));
}

Field& Field::name() {
  return of_type([](Json& value, Findings& findings) {
    const std::string* text = text_of(value, findings);
    if (text == nullptr) return false;
    value = sanitize_text(*text);
    return !value.get_ref<const std::string&>().empty() || refuse(findings, "name", "must not be empty");
  });
}

Field& Field::slug() {
  return of_type([](const Json& value, Findings& findings) {
    const std::string* text = text_of(value, findings);
    if (text == nullptr) return false;
    return is_slug(*text) || refuse(findings, "slug", fmt::format(slug_message, slug_length_max));
  });
}

Field& Field::email(EmailOptions options) {
  return of_type(parsed_type(
      "email", [options](std::string_view text) { return parse_email(text, options).canonical(); }));
}

Field& Field::domain(DomainOptions options) {
  return of_type(
      parsed_type("domain", [options](std::string_view text) { return parse_domain(text, options).ascii; }));
}

Field& Field::https_url() {
  return of_type(parsed_type("https_url", parse_https_url));
}

Field& Field::ip() {
  return of_type(parsed_type("ip", [](std::string_view text) { return IpAddress::parse(text).to_string(); }));
}

Field& Field::cidr(NetworkOptions options) {
  return of_type(parsed_type(
      "cidr", [options](std::string_view text) { return IpNetwork::parse(text, options).to_string(); }));
}

Field& Field::object(RuleSet rules) {
  return of_type([rules = std::move(rules)](Json& value, Findings& findings) {
    const std::size_t before = findings.size();
    rules.read(value, findings);
    return findings.size() == before;
  });
}

Field& Field::list(Field items) {
  return of_type([items = std::move(items)](Json& value, Findings& findings) {
    if (!value.is_array()) return refuse(findings, "type", "must be a list");
    if (findings.depth() >= record_depth_max) return refuse(findings, "depth", "is nested too deep");
    for (std::size_t i = 0; i < value.size() && !findings.is_full(); ++i) {
      const Findings::Step step(findings, i);
      items.read(value[i], findings);
    }
    return true;
  });
}

Field& Field::one_of(std::vector<std::string> values) {
  const std::string message = choices_message(values);
  return with([values = std::move(values), message](const Json& value, Findings& findings) {
    const std::string* text = text_of(value, findings);
    if (text == nullptr) return false;
    const bool is_known = std::find(values.begin(), values.end(), *text) != values.end();
    return is_known || refuse(findings, "one_of", message);
  });
}

Field& Field::length(std::size_t min, std::size_t max) {
  return with([min, max](const Json& value, Findings& findings) {
    const std::string* text = value.is_array() ? nullptr : text_of(value, findings);
    if (text == nullptr && !value.is_array()) return false;
    const std::size_t length = text == nullptr ? value.size() : count_code_points(*text);
    if (length >= min && length <= max) return true;
    const std::string_view unit = text == nullptr ? "items" : "characters";
    return refuse(findings, "length", fmt::format("must have {} to {} {}", min, max, unit));
  });
}

Field& Field::integer_range(std::int64_t low, std::int64_t high) {
  return with([low, high](const Json& value, Findings& findings) {
    if (!value.is_number()) return refuse(findings, "type", "must be a number");
    if (is_within(value, low, high)) return true;
    return refuse(findings, "range", fmt::format("must be between {} and {}", low, high));
  });
}

Field& Field::range(double low, double high) {
  return with([low, high](const Json& value, Findings& findings) {
    if (!value.is_number()) return refuse(findings, "type", "must be a number");
    const double number = value.get<double>();
    if (number >= low && number <= high) return true;
    return refuse(findings, "range", fmt::format("must be between {} and {}", low, high));
  });
}

Field& Field::characters(std::string_view set) {
  return with([allowed = CharacterSet(set)](const Json& value, Findings& findings) {
    const std::string* text = text_of(value, findings);
    if (text == nullptr) return false;
    if (allowed.holds_all_of(*text)) return true;
    return refuse(findings, "characters", "must have no characters but " + allowed.text());
  });
}

Field& Field::matches(std::function<bool(std::string_view)> holds, std::string rule) {
  return with([holds = std::move(holds), rule = std::move(rule)](const Json& value, Findings& findings) {
    const std::string* text = text_of(value, findings);
    if (text == nullptr) return false;
    return holds(*text) || refuse(findings, rule, "breaks the rule " + rule);
  });
}

void Field::read(Json& value, Findings& findings) const {
  if (value.is_null()) {
    if (!is_nullable_) findings.add("null", "must not be null");
    return;
  }
  if (type_ && !type_(value, findings)) return;
  for (const Check& rule : rules_) rule(value, findings);
}

}  // namespace nerve::validate
