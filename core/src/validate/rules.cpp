// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/rules.h"

#include "findings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace nerve::validate {

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
  Json copy = record;
  return canonicalize(copy);
}

std::vector<Violation> RuleSet::canonicalize(Json& record) const {
  Findings findings;
  read(record, findings);
  return findings.take();
}

Json RuleSet::require(Json record, std::string_view name) const {
  require_none(canonicalize(record), fmt::format("record {}", name));
  return record;
}

void RuleSet::read(Json& record, Findings& findings) const {
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
    field.rules.read(*value, findings);
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
    const Findings::Step step(findings, foreign_name(field.key()));
    findings.add("unknown_field", "is not a field of this record");
  }
}

}  // namespace nerve::validate
