// SPDX-License-Identifier: Apache-2.0
#include "plan/type_choice.h"

#include "values/iso_time.h"

#include "nerve/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

namespace nerve::convert {
namespace {

using Kind = Declared::Kind;

/// "DECIMAL(10, 2)" taken apart: its words in upper case, and the numbers in its parentheses.
struct Words {
  std::string name;
  std::vector<int> numbers;

  bool has(std::string_view part) const { return name.find(part) != std::string::npos; }
  bool is_one_of(std::initializer_list<std::string_view> names) const {
    return std::ranges::find(names, name) != names.end();
  }
};

Words read_words(std::string_view text) {
  Words words;
  const std::size_t open = text.find('(');
  for (const char c : text.substr(0, open)) {
    const bool is_space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (is_space && (words.name.empty() || words.name.back() == ' ')) continue;
    words.name += is_space ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  if (words.name.ends_with(' ')) words.name.pop_back();
  if (open == std::string_view::npos) return words;
  const char* next = text.data() + open + 1;
  const char* const end = text.data() + text.size();
  while (next < end && *next != ')') {
    int number = 0;
    const auto [rest, error] = std::from_chars(next, end, number);
    if (error == std::errc()) words.numbers.push_back(number);
    next = error == std::errc() ? rest : next + 1;
  }
  return words;
}

Declared decimal_of(const Words& words) {
  Declared declared{.kind = Kind::decimal};
  if (words.numbers.empty()) return declared;
  const int precision = words.numbers[0];
  const int scale = words.numbers.size() > 1 ? words.numbers[1] : 0;
  if (precision < 1 || precision > numeric_precision_max || scale < 0 || scale > precision) return declared;
  declared.precision = precision;
  declared.scale = scale;
  return declared;
}

Declared text_of(const Words& words) {
  const bool has_length = words.has("CHAR") && !words.numbers.empty() && words.numbers[0] > 0 &&
                          words.numbers[0] <= varchar_length_max;
  if (has_length) return {.kind = Kind::varchar, .length = words.numbers[0]};
  return {.kind = Kind::text};
}

std::string counted(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}", format_count(count), what);
}

/// The only form of ISO 8601 that all values have.
std::optional<IsoForm> only_iso_form(const ColumnProfile& profile) {
  for (std::size_t form = 0; form < profile.texts_of_iso_form.size(); ++form) {
    if (profile.texts_of_iso_form[form] == profile.values()) return static_cast<IsoForm>(form);
  }
  return std::nullopt;
}

/// A type of time that holds all values, of which there are some.
std::optional<ColumnType> time_of(const ColumnProfile& profile, bool is_date) {
  const std::int64_t values = profile.values();
  if (const auto form = only_iso_form(profile)) {
    if (*form == IsoForm::date && is_date) return ColumnType{.type = TargetType::date};
    return ColumnType{.type = has_zone(*form) ? TargetType::timestamptz : TargetType::timestamp};
  }
  ColumnType type{.type = TargetType::timestamptz};
  if (profile.integers_as_seconds == values) {
    type.time = TimeForm::epoch_seconds;
  } else if (profile.integers_as_milliseconds == values) {
    type.time = TimeForm::epoch_milliseconds;
  } else if (profile.reals_as_julian_days == values) {
    type.time = TimeForm::julian_day;
  } else {
    return std::nullopt;
  }
  return type;
}

/// What a declaration asks for where there are no values to say more.
ColumnType type_without_values(const Declared& declared) {
  switch (declared.kind) {
    case Kind::boolean:
      return {.type = TargetType::boolean};
    case Kind::integer:
      return {.type = TargetType::bigint};
    case Kind::real:
      return {.type = TargetType::double_precision};
    case Kind::decimal:
      return {.type = TargetType::numeric, .precision = declared.precision, .scale = declared.scale};
    case Kind::text:
      return {.type = TargetType::text};
    case Kind::varchar:
      return {.type = TargetType::varchar, .length = declared.length};
    case Kind::blob:
      return {.type = TargetType::bytea};
    case Kind::date:
      return {.type = TargetType::date};
    case Kind::moment:
      return {.type = TargetType::timestamp};
    case Kind::json:
      return {.type = TargetType::json};
    case Kind::uuid:
      return {.type = TargetType::uuid};
  }
  return {};
}

std::int64_t misfits_of_numeric(const ColumnType& type, const ColumnProfile& profile) {
  const std::int64_t others = profile.texts + profile.blobs + profile.reals_negative_zero;
  if (type.precision == 0) return others;
  const bool holds_all =
      profile.integer_digits_max <= type.precision - type.scale && profile.fraction_digits_max <= type.scale;
  return others + (holds_all ? profile.reals_infinite : profile.integers + profile.reals);
}

std::int64_t misfits_of_time(const ColumnType& type, const ColumnProfile& profile) {
  const std::int64_t values = profile.values();
  switch (type.time) {
    case TimeForm::iso_text: {
      std::int64_t fitting = 0;
      for (std::size_t form = 0; form < profile.texts_of_iso_form.size(); ++form) {
        const bool is_zoned = has_zone(static_cast<IsoForm>(form));
        const bool fits = type.type == TargetType::date ? form == static_cast<std::size_t>(IsoForm::date)
                                                        : is_zoned == (type.type == TargetType::timestamptz);
        if (fits) fitting += profile.texts_of_iso_form[form];
      }
      return values - fitting;
    }
    case TimeForm::epoch_seconds:
    case TimeForm::epoch_milliseconds:
      return values - profile.integers;
    case TimeForm::julian_day:
      return values - profile.reals_as_julian_days;
  }
  return values;
}

std::int64_t misfits_of(const ColumnType& type, const ColumnProfile& profile) {
  const std::int64_t values = profile.values();
  switch (type.type) {
    case TargetType::boolean: {
      const bool holds_integers = profile.integer_min >= 0 && profile.integer_max <= 1;
      return values - (holds_integers ? profile.integers : 0);
    }
    case TargetType::bigint:
      return values - profile.integers;
    case TargetType::double_precision:
      return profile.texts + profile.blobs + profile.integers_beyond_double;
    case TargetType::numeric:
      return misfits_of_numeric(type, profile);
    case TargetType::text:
      return profile.blobs + profile.texts_unstorable();
    case TargetType::varchar:
      return profile.text_characters_max > type.length ? profile.texts + profile.blobs
                                                       : profile.blobs + profile.texts_unstorable();
    case TargetType::bytea:
      return 0;
    case TargetType::date:
    case TargetType::timestamp:
    case TargetType::timestamptz:
      return misfits_of_time(type, profile);
    case TargetType::json:
      return profile.blobs + profile.texts - profile.texts_as_json + profile.reals_infinite;
    case TargetType::uuid:
      return values - profile.texts_as_uuid;
  }
  return values;
}

/// Values that do not come back as what they were: numbers that became text, text or numbers that became
/// bytes.
std::int64_t changed_by(const ColumnType& type, const ColumnProfile& profile) {
  switch (type.type) {
    case TargetType::text:
    case TargetType::varchar:
      return profile.integers + profile.reals;
    case TargetType::bytea:
      return profile.integers + profile.reals + profile.texts;
    default:
      return 0;
  }
}

/// The narrowest type that holds what is there, whatever was declared.
ColumnType type_of_content(const ColumnProfile& profile) {
  if (profile.blobs > 0) return {.type = TargetType::bytea};
  if (profile.texts > 0 || profile.values() == 0) return {.type = TargetType::text};
  if (profile.reals == 0) return {.type = TargetType::bigint};
  if (profile.integers_beyond_double == 0) return {.type = TargetType::double_precision};
  if (profile.reals_negative_zero == 0) return {.type = TargetType::numeric};
  return {.type = TargetType::text};
}

/// Whether a type that was declared is kept: every value stays what it is, but for texts that PostgreSQL can
/// store as no text at all.
bool holds(const ColumnType& type, const ColumnProfile& profile) {
  return changed_by(type, profile) == 0 &&
         misfits_of(type, profile) == (is_text(type.type) ? profile.texts_unstorable() : 0);
}

TypeChoice with_counts(const ColumnType& type, const ColumnProfile& profile, std::string why) {
  TypeChoice choice{type, std::move(why), misfits_of(type, profile), changed_by(type, profile)};
  if (choice.misfits > 0 && profile.texts_unstorable() > 0) {
    choice.why += fmt::format("; {} with a NUL, {} that are not UTF-8",
                              counted(profile.texts_with_nul, "texts"), format_count(profile.texts_not_utf8));
  }
  return choice;
}

}  // namespace

std::string describe_values(const ColumnProfile& profile) {
  std::string text;
  const auto add = [&](std::int64_t count, std::string_view one, std::string_view many) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text += counted(count, count == 1 ? one : many);
  };
  add(profile.integers, "integer", "integers");
  add(profile.reals, "real", "reals");
  add(profile.texts, "text", "texts");
  add(profile.blobs, "blob", "blobs");
  return text.empty() ? "no values" : text;
}

std::optional<Declared> read_declaration(std::string_view declared_type) {
  const Words words = read_words(declared_type);
  if (words.name.empty() || words.name == "ANY") return std::nullopt;
  if (words.is_one_of({"BOOL", "BOOLEAN"})) return Declared{.kind = Kind::boolean};
  if (words.name == "DATE") return Declared{.kind = Kind::date};
  if (words.name == "DATETIME" || words.name.starts_with("TIMESTAMP")) return Declared{.kind = Kind::moment};
  if (words.is_one_of({"JSON", "JSONB"})) return Declared{.kind = Kind::json};
  if (words.is_one_of({"UUID", "GUID", "UNIQUEIDENTIFIER"})) return Declared{.kind = Kind::uuid};
  if (words.is_one_of({"DECIMAL", "DEC", "NUMERIC", "NUMBER"})) return decimal_of(words);
  if (words.name == "MONEY") return Declared{.kind = Kind::decimal};
  // SQLite's own rules, in their order:
  // https://www.sqlite.org/datatype3.html#determination_of_column_affinity
  if (words.has("INT")) return Declared{.kind = Kind::integer};
  if (words.has("CHAR") || words.has("CLOB") || words.has("TEXT")) return text_of(words);
  if (words.has("BLOB") || words.has("BYTEA") || words.has("BINARY")) return Declared{.kind = Kind::blob};
  if (words.has("REAL") || words.has("FLOA") || words.has("DOUB")) return Declared{.kind = Kind::real};
  return std::nullopt;
}

ColumnInterest interest_in(const std::optional<Declared>& declared, const std::optional<ColumnType>& ruled) {
  ColumnInterest interest;
  if (declared) {
    interest = {.time = declared->kind == Kind::date || declared->kind == Kind::moment,
                .json = declared->kind == Kind::json,
                .uuid = declared->kind == Kind::uuid,
                .decimal = declared->kind == Kind::decimal};
  }
  // What else a ruled type does not hold is counted by itself; the form of time is what expressions ask for.
  if (ruled && is_time(ruled->type)) interest.time = true;
  return interest;
}

namespace {

TypeChoice choose_without_rule(const std::optional<Declared>& declared, const ColumnProfile& profile) {
  if (!declared) {
    return with_counts(type_of_content(profile), profile,
                       fmt::format("no type is declared; it holds {}", describe_values(profile)));
  }
  ColumnType wanted = type_without_values(*declared);
  if (profile.values() == 0) return {wanted, "as declared; it holds no values", 0, 0};
  const bool is_time = declared->kind == Kind::date || declared->kind == Kind::moment;
  if (is_time) {
    if (const auto type = time_of(profile, declared->kind == Kind::date)) {
      std::string why = fmt::format(
          "as declared; every value is {}",
          type->time == TimeForm::iso_text ? "ISO text of one form" : std::string(to_string(type->time)));
      return with_counts(*type, profile, std::move(why));
    }
  } else if (holds(wanted, profile)) {
    return with_counts(wanted, profile, "as declared");
  }
  // The same kind without its bound comes before another kind.
  if (wanted.type == TargetType::varchar) wanted = {.type = TargetType::text};
  if (wanted.type == TargetType::numeric) wanted = {.type = TargetType::numeric};
  if (!is_time && holds(wanted, profile))
    return with_counts(wanted, profile, "as declared, without the bound that some values exceed");
  return with_counts(type_of_content(profile), profile,
                     fmt::format("not as declared, which does not hold every value: there are {}",
                                 describe_values(profile)));
}

/// How many values are written as a type of time says.
std::int64_t values_of_time(const ColumnType& type, const ColumnProfile& profile) {
  switch (type.time) {
    case TimeForm::epoch_seconds:
      return profile.integers_as_seconds;
    case TimeForm::epoch_milliseconds:
      return profile.integers_as_milliseconds;
    case TimeForm::iso_text:
    case TimeForm::julian_day:
      return profile.values() - misfits_of_time(type, profile);
  }
  return 0;
}

/// The one of some types of time that most values are written as; of equals the first.
ColumnType most_fitting_time(std::initializer_list<ColumnType> types, const ColumnProfile& profile) {
  return *std::ranges::max_element(types, {},
                                   [&](const ColumnType& type) { return values_of_time(type, profile); });
}

ColumnType with_time_form(const ColumnType& type, const ColumnProfile& profile) {
  ColumnType seconds = type;
  ColumnType milliseconds = type;
  ColumnType julian = type;
  seconds.time = TimeForm::epoch_seconds;
  milliseconds.time = TimeForm::epoch_milliseconds;
  julian.time = TimeForm::julian_day;
  return most_fitting_time({type, seconds, milliseconds, julian}, profile);
}

/// What a declaration asks for, whatever the values are.
ColumnType declared_type(const Declared& declared, const ColumnProfile& profile) {
  const ColumnType iso{.type = TargetType::timestamp};
  const ColumnType zoned = with_time_form({.type = TargetType::timestamptz}, profile);
  if (declared.kind == Kind::date)
    return most_fitting_time({{.type = TargetType::date}, iso, zoned}, profile);
  if (declared.kind == Kind::moment) return most_fitting_time({iso, zoned}, profile);
  return type_without_values(declared);
}

/// A type that a rule asks for and that not every value fits, where the rule says to widen it then.
TypeChoice widen_ruled(const ColumnType& ruled, const TypeChoice& chosen, const ColumnProfile& profile) {
  const bool is_bounded = ruled.length > 0 || ruled.precision > 0;
  const ColumnType wider{.type = ruled.type == TargetType::varchar ? TargetType::text : ruled.type};
  if (is_bounded && holds(wider, profile))
    return with_counts(wider, profile, "by rule, without the bound that some values exceed");
  TypeChoice choice = chosen;
  choice.why =
      fmt::format("not by rule, which does not hold every value: there are {}", describe_values(profile));
  return choice;
}

}  // namespace

std::optional<ColumnType> held_type(const std::optional<Declared>& declared, const ColumnProfile& profile,
                                    const ColumnRule& rule) {
  std::optional<ColumnType> held = rule.type;
  if (held && is_time(held->type) && !rule.has_time_form) held = with_time_form(*held, profile);
  const bool is_declared_held =
      !held && rule.on_misfit != MisfitRule::widen && declared && profile.values() > 0;
  if (is_declared_held) {
    held = declared_type(*declared, profile);
    if (changed_by(*held, profile) > 0) return std::nullopt;
  }
  if (held == choose_without_rule(declared, profile).type) return std::nullopt;
  return held;
}

TypeChoice choose_type(const std::optional<Declared>& declared, const ColumnProfile& profile,
                       const ColumnRule& rule, std::int64_t held_misfits) {
  TypeChoice chosen = choose_without_rule(declared, profile);
  const auto held = held_type(declared, profile, rule);
  if (!held || (!rule.type && held_misfits == profile.values())) return chosen;
  if (held_misfits > 0 && rule.on_misfit == MisfitRule::widen) return widen_ruled(*held, chosen, profile);
  TypeChoice choice{*held, rule.type ? "by rule" : "as declared, which a rule holds", held_misfits,
                    changed_by(*held, profile)};
  if (held_misfits > 0) {
    choice.why += fmt::format("; {} of {} do not fit: there are {}", format_count(held_misfits),
                              counted(profile.values(), "values"), describe_values(profile));
  }
  return choice;
}

}  // namespace nerve::convert
