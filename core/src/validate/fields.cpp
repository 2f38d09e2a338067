// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/fields.h"

#include "findings.h"
#include "violation.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>
#include <utility>

namespace nerve::validate {

void Fields::read(std::string_view field, Json& value, const Field& rules) {
  Findings findings;
  {
    const Findings::Step step(findings, field);
    rules.read(value, findings);
  }
  std::vector<Violation> found = findings.take();
  std::move(found.begin(), found.end(), std::back_inserter(violations_));
}

std::string Fields::text(std::string_view field, std::string_view text, const Field& rules) {
  Json value = text;
  read(field, value, rules);
  return value.get<std::string>();
}

std::optional<std::string> Fields::optional_text(std::string_view field,
                                                 const std::optional<std::string>& text, const Field& rules) {
  if (!text) return std::nullopt;
  return this->text(field, *text, rules);
}

std::vector<std::string> Fields::texts(std::string_view field, const std::vector<std::string>& texts,
                                       const Field& rules) {
  Json value = texts;
  read(field, value, rules);
  return value.get<std::vector<std::string>>();
}

std::int64_t Fields::integer(std::string_view field, std::int64_t number, const Field& rules) {
  Json value = number;
  read(field, value, rules);
  return number;
}

void Fields::require(bool holds, std::string_view field, std::string_view rule, std::string_view message) {
  if (!holds) violations_.push_back(violation(field, rule, message));
}

void Fields::finish() const {
  require_none(violations_, fmt::format("record {}", record_));
}

}  // namespace nerve::validate
