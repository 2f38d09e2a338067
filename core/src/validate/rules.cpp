// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/rules.h"

#include "findings.h"

#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

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

std::string count_message(std::string_view name, const std::vector<Violation>& violations) {
  std::set<std::string_view> fields;
  for (const Violation& violation : violations) fields.insert(violation.field);
  const std::string_view bound = violations.size() >= violations_max ? "at least " : "";
  const std::string_view verb = fields.size() == 1 ? "field is" : "fields are";
  return fmt::format("record {}: {}{} {} wrong", name, bound, fields.size(), verb);
}

}  // namespace

const RuleSet::NamedField* RuleSet::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [name](const NamedField& field) { return field.name == name; });
  return found == fields_.end() ? nullptr : &*found;
}

Field& RuleSet::field(std::string name) {
  for (NamedField& known : fields_) {
    if (known.name == name) return known.rules;
  }
  return fields_.emplace_back(NamedField{std::move(name), Field()}).rules;
}

RuleSet& RuleSet::unknown_fields(UnknownFields policy) {
  unknown_fields_ = policy;
  return *this;
}

RuleSet& RuleSet::cross_check(std::string name, std::vector<std::string> fields,
                              std::function<bool(const Json&)> holds, std::string message) {
  if (fields.empty())
    throw ValidationError("cross-field rule " + name + " names no field", "Name the fields it reads.");
  cross_checks_.push_back({std::move(name), std::move(fields), std::move(holds), std::move(message)});
  return *this;
}

std::vector<Violation> RuleSet::check(const Json& record) const {
  Findings findings;
  check(record, findings);
  return findings.take();
}

void RuleSet::require(const Json& record, std::string_view name) const {
  std::vector<Violation> violations = check(record);
  if (violations.empty()) return;
  const std::string message = count_message(name, violations);
  std::string hint = correction_hint(violations);
  throw ValidationError(message, std::move(hint), std::move(violations));
}

void RuleSet::check(const Json& record, Findings& findings) const {
  if (!record.is_object()) return findings.add("type", "must be an object");
  if (findings.depth() >= record_depth_max) return findings.add("depth", "is nested too deep");

  std::set<std::string_view> sound;  // the fields that are there, are not null and keep their rules
  for (const NamedField& field : fields_) {
    if (findings.is_full()) return;
    const Findings::Step step(findings, field.name);
    const auto value = record.find(field.name);
    if (value == record.end()) {
      if (field.rules.is_required_) findings.add("required", "is required");
      continue;
    }
    const std::size_t before = findings.size();
    field.rules.check(*value, findings);
    if (findings.size() == before && !value->is_null()) sound.insert(field.name);
  }
  if (unknown_fields_ == UnknownFields::refuse) check_unknown(record, findings);

  for (const CrossCheck& rule : cross_checks_) {
    const bool applies = std::all_of(rule.fields.begin(), rule.fields.end(),
                                     [&sound](const std::string& field) { return sound.contains(field); });
    if (!applies || rule.holds(record)) continue;
    const Findings::Step step(findings, rule.fields.front());
    findings.add(rule.name, rule.message);
  }
}

void RuleSet::check_unknown(const Json& record, Findings& findings) const {
  for (auto field = record.begin(); field != record.end() && !findings.is_full(); ++field) {
    if (find(field.key()) != nullptr) continue;
    // The name comes from outside: it must neither drive a terminal nor fill a log.
    const std::string name = ellipsize(sanitize_for_terminal(field.key()), field_name_width_max);
    const Findings::Step step(findings, name);
    findings.add("unknown_field", "is not a field of this record");
  }
}

}  // namespace nerve::validate
