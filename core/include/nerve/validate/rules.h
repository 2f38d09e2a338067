// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/validate/domain.h"
#include "nerve/validate/email.h"
#include "nerve/validate/ip.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::validate {

inline constexpr std::size_t violations_max = 1000;  ///< a check stops when it has found as many
inline constexpr std::size_t record_depth_max = 32;  ///< fields and items that the path of a value may have
inline constexpr std::size_t field_name_width_max =
    64;  ///< of an unknown field's name in a violation, in columns

class Findings;
class RuleSet;

/// The rules of one field, stated in a chain: `field("age").required().integer().range(0, 150)`.
///
/// A field is optional and not null unless stated otherwise. It has one type, the last one stated; where none
/// is, any JSON value will do. The other rules are tried in the order stated, only on a value of the right
/// type, and on its canonical form. Text holds well-formed UTF-8 without NUL, whatever else is stated of it.
class Field {
 public:
  Field& required();  ///< the record must have it
  Field& nullable();  ///< it may be null, which satisfies every rule

  Field& text();
  Field& integer();  ///< within 64 bits, signed; 3.0 is not one
  Field& real();     ///< any finite number
  Field& boolean();
  Field& timestamp();  ///< text as Timestamp::parse() reads it
  Field& id();         ///< text as Uuid::parse() reads it
  Field& name();       ///< text of one line that is not empty, as sanitize_text() leaves it (text.h)
  Field& slug();       ///< text as is_slug() says (slug.h)
  Field& email(EmailOptions options = {});
  Field& domain(DomainOptions options = {});
  Field& https_url();  ///< text as parse_https_url() reads it (url.h)
  Field& ip();
  Field& cidr(NetworkOptions options = {});
  Field& object(RuleSet rules);  ///< an object that keeps its own rules
  Field& list(Field items);      ///< an array, each item of which keeps the rules of `items`

  Field& one_of(std::vector<std::string> values);  ///< text, compared byte by byte

  /// Text of so many code points, or a list of so many items; both ends belong to it.
  Field& length(std::size_t min, std::size_t max);

  /// A number; both ends belong to it.
  template <std::signed_integral Number>
  Field& range(Number low, Number high) {
    return integer_range(low, high);
  }
  Field& range(double low, double high);

  /// Text of these ASCII characters only, written as in "a-z0-9_.-": a hyphen between two characters makes a
  /// range and is itself anywhere else. Throws ValidationError for a set with a range that runs backwards, or
  /// not ASCII.
  Field& characters(std::string_view set);

  /// Text of which `holds` is true; `rule` names it in the violation. There is no rule for regular
  /// expressions, because std::regex exhausts the stack on long input and takes exponential time on some
  /// patterns. `holds` must not throw.
  Field& matches(std::function<bool(std::string_view)> holds, std::string rule);

 private:
  friend class Fields;
  friend class RuleSet;

  // Says whether the value keeps the rule, after it has added a violation where it does not.
  using Check = std::function<bool(const Json&, Findings&)>;
  // The same of a value that it brings into its canonical form.
  using Type = std::function<bool(Json&, Findings&)>;

  Field& of_type(Type type);
  Field& with(Check rule);
  Field& integer_range(std::int64_t low, std::int64_t high);
  void read(Json& value, Findings& findings) const;

  bool is_required_ = false;
  bool is_nullable_ = false;
  Type type_;
  std::vector<Check> rules_;
};

enum class UnknownFields : std::uint8_t { refuse, ignore };

/// What a record (a JSON object) must look like. Unknown fields are refused unless stated otherwise.
///
///     RuleSet users;
///     users.field("email").required().email();
///     users.field("roles").list(Field().one_of({"admin", "reader"})).length(1, 2);
///     users.require(record, "user");
///
/// Once built it may be used by many threads at once, as far as its predicates may.
class RuleSet {
 public:
  /// The rules of the field `name`, which stay where they are as more fields are added; the same ones when
  /// asked again.
  Field& field(std::string name);

  RuleSet& unknown_fields(UnknownFields policy);

  /// A rule over several fields, tried when all of `fields` are there, are not null and keep their own rules.
  /// A violation is reported for the first of them, under the rule `name`, with `message`: lowercase, to be
  /// read after the field's name ("must not be before starts_at"). `holds` must not throw. Throws
  /// ValidationError where `fields` is empty.
  RuleSet& cross_check(std::string name, std::vector<std::string> fields,
                       std::function<bool(const Json&)> holds, std::string message);

  /// All that is wrong with `record`, in the order of the rules, up to violations_max. Fields are paths such
  /// as "addresses[2].city"; what is wrong with the record as a whole is found at "record". No value is
  /// repeated.
  std::vector<Violation> check(const Json& record) const;

  /// The same, and brings each value that has its type into the canonical form, which is the one to store.
  std::vector<Violation> canonicalize(Json& record) const;

  /// Throws ValidationError "record NAME: 3 fields are wrong" with all violations, where there is any.
  /// Returns the record in its canonical form.
  Json require(Json record, std::string_view name) const;

 private:
  friend class Field;
  friend class RulesReader;  // reads a file of rules, which keeps rules itself

  struct NamedField {
    std::string name;
    Field rules;
  };
  struct CrossCheck {
    std::string name;
    std::vector<std::string> fields;
    std::function<bool(const Json&)> holds;
    std::string message;
  };

  const NamedField* find(std::string_view name) const;
  void read(Json& record, Findings& findings) const;
  void check_unknown(const Json& record, Findings& findings) const;

  std::deque<NamedField> fields_;
  std::vector<CrossCheck> cross_checks_;
  UnknownFields unknown_fields_ = UnknownFields::refuse;
};

}  // namespace nerve::validate
