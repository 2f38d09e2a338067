// SPDX-License-Identifier: Apache-2.0
#include "nerve/validate/rules_file.h"

#include "findings.h"
#include "json_integer.h"

#include "nerve/core/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nerve::validate {
namespace {

constexpr std::int64_t stated_length_max = 1'000'000'000;
constexpr std::size_t stated_choices_max = 10'000;

enum class Kind : std::uint8_t { any, text, number, boolean, list, object };

bool is_set(const Json& stated, const char* option) {
  return stated.value(option, false);
}

/// A type without a rule of its own for how it is stated.
template <Field& (Field::*state)()>
void plain(Field& field, const Json& /*stated*/) {
  (field.*state)();
}

/// The types of fields but "list" and "object", whose rules lie inside of them.
struct Type {
  std::string_view name;
  Kind kind;
  void (*state)(Field& field, const Json& stated);
};

constexpr std::array types = {
    Type{"text", Kind::text, &plain<&Field::text>},
    Type{"integer", Kind::number, &plain<&Field::integer>},
    Type{"real", Kind::number, &plain<&Field::real>},
    Type{"boolean", Kind::boolean, &plain<&Field::boolean>},
    Type{"timestamp", Kind::text, &plain<&Field::timestamp>},
    Type{"id", Kind::text, &plain<&Field::id>},
    Type{"name", Kind::text, &plain<&Field::name>},
    Type{"slug", Kind::text, &plain<&Field::slug>},
    Type{"email", Kind::text,
         [](Field& field, const Json& stated) {
           field.email({.allow_address_literal = is_set(stated, "allow_address_literal"),
                        .allow_utf8_local = is_set(stated, "allow_utf8_local")});
         }},
    Type{"domain", Kind::text,
         [](Field& field, const Json& stated) {
           field.domain({.allow_single_label = is_set(stated, "allow_single_label")});
         }},
    Type{"https_url", Kind::text, &plain<&Field::https_url>},
    Type{"ip", Kind::text, &plain<&Field::ip>},
    Type{"cidr", Kind::text,
         [](Field& field, const Json& stated) {
           field.cidr({.mask_host_bits = is_set(stated, "mask_host_bits")});
         }},
    Type{"list", Kind::list, nullptr},
    Type{"object", Kind::object, nullptr},
};

/// What may be stated of a field beside its type, and of which types: those of a kind, or one.
struct Key {
  std::string_view name;
  std::vector<Kind> kinds;
  std::string_view type = {};

  bool goes_with(const Type* other) const {
    const Kind kind = other == nullptr ? Kind::any : other->kind;
    return std::ranges::find(kinds, kind) != kinds.end() || (other != nullptr && other->name == type);
  }
};

const std::vector<Key>& keys_of_types() {
  static const std::vector<Key> keys = {
      {"length", {Kind::any, Kind::text, Kind::list}},
      {"characters", {Kind::any, Kind::text}},
      {"range", {Kind::any, Kind::number}},
      {"one_of", {Kind::any, Kind::text}},
      {"items", {Kind::list}},
      {"fields", {Kind::object}},
      {"unknown_fields", {Kind::object}},
      {"allow_address_literal", {}, "email"},
      {"allow_utf8_local", {}, "email"},
      {"allow_single_label", {}, "domain"},
      {"mask_host_bits", {}, "cidr"},
  };
  return keys;
}

/// The rules of what states a record, but for the fields, which are read one by one.
RuleSet record_rules() {
  RuleSet rules;
  rules.field("fields");
  rules.field("unknown_fields").one_of({"refuse", "ignore"});
  return rules;
}

/// The rules of what states a field; a field that is an object states a record as well.
RuleSet field_rules() {
  RuleSet rules = record_rules();
  std::vector<std::string> names(types.size());
  std::ranges::transform(types, names.begin(), [](const Type& type) { return std::string(type.name); });
  rules.field("type").one_of(std::move(names));
  for (const char* flag : {"required", "nullable", "allow_address_literal", "allow_utf8_local",
                           "allow_single_label", "mask_host_bits"}) {
    rules.field(flag).boolean();
  }
  rules.field("length").list(Field().integer().range<std::int64_t>(0, stated_length_max)).length(2, 2);
  rules.field("characters").text();
  rules.field("range").list(Field().real()).length(2, 2);
  rules.field("one_of").list(Field().text()).length(1, stated_choices_max);
  rules.field("items");
  return rules;
}

}  // namespace

/// Reads the rules and goes on behind a mistake, so that all of them are found.
class RulesReader {
 public:
  RuleSet read_record(Json& stated) {
    RuleSet rules;
    if (!keeps(record_rules_, stated)) return rules;
    read_fields(stated, rules);
    return rules;
  }

  std::vector<Violation> take() { return findings_.take(); }

 private:
  bool keeps(const RuleSet& rules, Json& stated) {
    const std::size_t before = findings_.size();
    rules.read(stated, findings_);
    return findings_.size() == before && !findings_.is_full();
  }

  /// Of a record or of a field that is an object.
  void read_fields(Json& stated, RuleSet& rules) {
    if (stated.value("unknown_fields", "") == "ignore") rules.unknown_fields(UnknownFields::ignore);
    const Findings::Step step(findings_, "fields");
    const auto fields = stated.find("fields");
    if (fields == stated.end()) return findings_.add("required", "is required");
    if (!fields->is_object()) return findings_.add("type", "must be an object");
    if (fields->size() > rules_fields_max)
      return findings_.add("length", fmt::format("must have at most {} fields", rules_fields_max));
    for (auto one = fields->begin(); one != fields->end(); ++one) {
      const Findings::Step name(findings_, foreign_name(one.key()));
      rules.field(one.key()) = read_field(one.value());
    }
  }

  Field read_field(Json& stated) {
    Field field;
    if (!keeps(field_rules_, stated)) return field;
    const std::string name = stated.value("type", "");
    const auto* const found = std::ranges::find(types, name, &Type::name);
    const Type* type = found == types.end() ? nullptr : found;
    if (!goes_with_type(stated, type)) return field;
    if (stated.value("required", false)) field.required();
    if (stated.value("nullable", false)) field.nullable();
    read_type(stated, type, field);
    read_rules(stated, field);
    return field;
  }

  bool goes_with_type(const Json& stated, const Type* type) {
    const std::size_t before = findings_.size();
    for (const Key& key : keys_of_types()) {
      if (!stated.contains(key.name) || key.goes_with(type)) continue;
      const Findings::Step step(findings_, key.name);
      findings_.add("type", type == nullptr ? "is for fields that state their type"
                                            : fmt::format("is not for fields of the type {}", type->name));
    }
    return findings_.size() == before && !findings_.is_full();
  }

  void read_type(Json& stated, const Type* type, Field& field) {
    if (type == nullptr) return;
    if (type->kind == Kind::list) {
      const Findings::Step step(findings_, "items");
      const auto items = stated.find("items");
      field.list(items == stated.end() ? Field() : read_field(*items));
    } else if (type->kind == Kind::object) {
      RuleSet rules;
      read_fields(stated, rules);
      field.object(std::move(rules));
    } else {
      type->state(field, stated);
    }
  }

  void read_rules(const Json& stated, Field& field) {
    if (stated.contains("length") && is_ordered(stated, "length")) {
      const Json& length = stated["length"];
      field.length(length[0].get<std::size_t>(), length[1].get<std::size_t>());
    }
    if (stated.contains("characters")) read_characters(stated["characters"], field);
    if (stated.contains("range") && is_ordered(stated, "range")) {
      const Json& range = stated["range"];
      if (is_integer(range[0]) && is_integer(range[1])) {
        field.range(range[0].get<std::int64_t>(), range[1].get<std::int64_t>());
      } else {
        field.range(range[0].get<double>(), range[1].get<double>());
      }
    }
    if (stated.contains("one_of")) field.one_of(stated["one_of"].get<std::vector<std::string>>());
  }

  bool is_ordered(const Json& stated, const char* key) {
    if (stated[key][0] <= stated[key][1]) return true;
    const Findings::Step step(findings_, key);
    findings_.add("range", "must have its lower end first");
    return false;
  }

  void read_characters(const Json& set, Field& field) {
    try {
      field.characters(set.get_ref<const std::string&>());
    } catch (const ValidationError&) {
      const Findings::Step step(findings_, "characters");
      findings_.add("characters", "must be ASCII, with the lower end of each range first, as in a-z0-9_");
    }
  }

  RuleSet record_rules_ = record_rules();
  RuleSet field_rules_ = field_rules();
  Findings findings_{"rules"};
};

RuleSet parse_rules(std::string_view text, std::string_view name) {
  Json stated = parse_json(text, name);
  RulesReader reader;
  RuleSet rules = reader.read_record(stated);
  require_none(reader.take(), fmt::format("rules file {}", name));
  return rules;
}

}  // namespace nerve::validate
