// SPDX-License-Identifier: Apache-2.0
#include "findings.h"

#include "violation.h"

#include "nerve/core/text.h"
#include "nerve/validate/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace nerve::validate {

namespace {

constexpr std::size_t hint_fields_max = 5;

/// Names the first fields in error and the rule each breaks: "Correct age (range) and email (required)."
std::string correction_hint(const std::vector<Violation>& violations) {
  std::string hint = "Correct ";
  const std::size_t shown = std::min(violations.size(), hint_fields_max);
  for (std::size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == violations.size();
    if (i > 0) hint += is_last ? " and " : ", ";
    hint += fmt::format("{} ({})", violations[i].field, violations[i].rule);
  }
  if (violations.size() > shown) hint += fmt::format(" and {} more", violations.size() - shown);
  return hint + ".";
}

std::string count_message(std::string_view subject, const std::vector<Violation>& violations) {
  std::set<std::string_view> fields;
  for (const Violation& violation : violations) fields.insert(violation.field);
  const std::string_view bound = violations.size() >= violations_max ? "at least " : "";
  const std::string_view verb = fields.size() == 1 ? "field is" : "fields are";
  return fmt::format("{}: {}{} {} wrong", subject, bound, fields.size(), verb);
}

}  // namespace

void Findings::add(std::string_view rule, std::string_view message) {
  if (!is_full())
    violations_.push_back(violation(path_.empty() ? root_ : std::string_view(path_), rule, message));
}

bool Findings::is_full() const {
  return violations_.size() >= violations_max;
}

Findings::Step::Step(Findings& findings, std::string_view field)
    : findings_(findings), outer_size_(findings.path_.size()) {
  if (outer_size_ != 0) findings_.path_ += '.';
  findings_.path_ += field;
  ++findings_.depth_;
}

Findings::Step::Step(Findings& findings, std::size_t index)
    : findings_(findings), outer_size_(findings.path_.size()) {
  findings_.path_ += '[' + std::to_string(index) + ']';
  ++findings_.depth_;
}

Findings::Step::~Step() {
  findings_.path_.resize(outer_size_);
  --findings_.depth_;
}

std::string foreign_name(std::string_view name) {
  return ellipsize(sanitize_for_terminal(name), field_name_width_max);
}

void require_none(std::vector<Violation> violations, std::string_view subject) {
  if (violations.empty()) return;
  const std::string message = count_message(subject, violations);
  std::string hint = correction_hint(violations);
  throw ValidationError(message, std::move(hint), std::move(violations));
}

}  // namespace nerve::validate
