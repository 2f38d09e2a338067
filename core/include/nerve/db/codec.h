// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/id.h"
#include "nerve/core/json.h"
#include "nerve/core/time.h"
#include "nerve/db/value.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace nerve::db {

/// How a C++ type is bound and read. A specialization has
///
///   static constexpr ValueType type;          what the engine is asked to deliver
///   static Value encode(const T&);            may borrow from its argument
///   static T decode(const Cell&);             never called for NULL, except by optional
///
/// Text that holds a NUL or is not UTF-8, and a real that is not a number, are refused when they are bound,
/// because the engines would cut, refuse or change them each in its own way.
template <class T>
struct Codec;

namespace detail {

[[noreturn]] void throw_out_of_range(std::int64_t value_min, std::int64_t value_max);
[[noreturn]] void throw_unknown_enum_text();

}  // namespace detail

/// Integers proper: neither bool nor the character types.
template <class T>
concept Integer =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <Integer T>
struct Codec<T> {
  static constexpr ValueType type = ValueType::integer;
  static Value encode(T value) {
    if constexpr (std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t)) {
      if (value > static_cast<T>(std::numeric_limits<std::int64_t>::max())) out_of_range();
    }
    return Value::integer(static_cast<std::int64_t>(value));
  }
  static T decode(const Cell& cell) {
    if (!std::in_range<T>(cell.integer)) out_of_range();
    return static_cast<T>(cell.integer);
  }

 private:
  [[noreturn]] static void out_of_range() {
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    const auto value_max = std::cmp_less(std::numeric_limits<T>::max(), largest)
                               ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                               : largest;
    detail::throw_out_of_range(static_cast<std::int64_t>(std::numeric_limits<T>::min()), value_max);
  }
};

template <>
struct Codec<bool> {
  static constexpr ValueType type = ValueType::boolean;
  static Value encode(bool value) noexcept { return Value::boolean(value); }
  static bool decode(const Cell& cell) noexcept { return cell.integer != 0; }
};

template <std::floating_point T>
struct Codec<T> {
  static constexpr ValueType type = ValueType::real;
  static Value encode(T value) noexcept { return Value::real(static_cast<double>(value)); }
  static T decode(const Cell& cell) noexcept { return static_cast<T>(cell.real); }
};

template <>
struct Codec<std::string> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(const std::string& value) noexcept { return Value::borrowed_text(value); }
  static std::string decode(const Cell& cell) { return std::string(cell.octets); }
};

/// Read as a view, the text is valid until the next row only.
template <>
struct Codec<std::string_view> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(std::string_view value) noexcept { return Value::borrowed_text(value); }
  static std::string_view decode(const Cell& cell) noexcept { return cell.octets; }
};

template <>
struct Codec<const char*> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(const char* value) noexcept { return Value::borrowed_text(value); }
};

template <>
struct Codec<std::nullptr_t> {
  static constexpr ValueType type = ValueType::null;
  static Value encode(std::nullptr_t) noexcept { return {}; }
};

template <>
struct Codec<Bytes> {
  static constexpr ValueType type = ValueType::bytes;
  static Value encode(const Bytes& value) noexcept { return Value::borrowed_bytes(value); }
  static Bytes decode(const Cell& cell) {
    const auto* begin = reinterpret_cast<const std::byte*>(cell.octets.data());
    return Bytes(begin, begin + cell.octets.size());
  }
};

template <>
struct Codec<ByteView> {
  static constexpr ValueType type = ValueType::bytes;
  static Value encode(ByteView value) noexcept { return Value::borrowed_bytes(value); }
};

template <>
struct Codec<Uuid> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(const Uuid& value) { return Value::owned_text(value.to_string()); }
  static Uuid decode(const Cell& cell) { return Uuid::parse(cell.octets); }
};

template <class Tag>
struct Codec<Id<Tag>> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(const Id<Tag>& value) { return Value::owned_text(value.to_string()); }
  static Id<Tag> decode(const Cell& cell) { return Id<Tag>::parse(cell.octets); }
};

/// Bound as 27 characters of UTC with microseconds. Read from that and from PostgreSQL's ISO text of a
/// timestamptz, which the backend's sessions deliver in UTC.
template <>
struct Codec<Timestamp> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(Timestamp value) { return Value::owned_text(value.to_text()); }
  static Timestamp decode(const Cell& cell) { return Timestamp::parse(cell.octets); }
};

/// Bound as compact text. jsonb comes back with other spaces and another order of keys: compare values, never
/// texts.
template <>
struct Codec<Json> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(const Json& value);
  static Json decode(const Cell& cell);
};

/// A list, bound as a JSON array of texts.
template <>
struct Codec<std::vector<std::string>> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(const std::vector<std::string>& value);
  static std::vector<std::string> decode(const Cell& cell);
};

/// The texts of an enum, in the order of its enumerators, which begin at 0. Specialize it to bind and read an
/// enum as the text that a CHECK (column IN (...)) lists:
///
///   template <> inline constexpr std::string_view nerve::db::enum_texts<Severity>[] = {"info", "low",
///   "high"};
template <class E>
inline constexpr std::string_view enum_texts[1] = {};

/// The text of an enumerator.
template <class E>
constexpr std::string_view enum_text(E value) noexcept {
  static_assert(!enum_texts<E>[0].empty(), "enum_texts must be specialized for this enum");
  return enum_texts<E>[static_cast<std::size_t>(value)];
}

/// The enumerator that has this text; nothing where none has it.
template <class E>
constexpr std::optional<E> enum_of(std::string_view text) noexcept {
  static_assert(!enum_texts<E>[0].empty(), "enum_texts must be specialized for this enum");
  std::size_t position = 0;
  for (const std::string_view known : enum_texts<E>) {
    if (known == text) return static_cast<E>(position);
    ++position;
  }
  return std::nullopt;
}

template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static constexpr ValueType type = ValueType::text;
  static Value encode(E value) { return Value::borrowed_text(enum_text(value)); }
  static E decode(const Cell& cell) {
    if (const auto value = enum_of<E>(cell.octets)) return *value;
    detail::throw_unknown_enum_text();
  }
};

/// NULL is absence.
template <class T>
struct Codec<std::optional<T>> {
  static constexpr ValueType type = Codec<T>::type;
  static Value encode(const std::optional<T>& value) { return value ? Codec<T>::encode(*value) : Value(); }
  static std::optional<T> decode(const Cell& cell) {
    if (cell.null) return std::nullopt;
    return Codec<T>::decode(cell);
  }
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// One named parameter of a statement: `{"email", email}` for `:email`.
struct Parameter {
  template <class T>
  Parameter(std::string_view parameter_name, const T& parameter_value)
      : name(parameter_name), value(encode(parameter_value)) {}

  std::string_view name;
  Value value;

 private:
  template <class T>
  static Value encode(const T& parameter_value) {
    if constexpr (std::same_as<T, Value>) {
      return parameter_value;
    } else {
      return Codec<std::decay_t<const T&>>::encode(parameter_value);
    }
  }
};

/// The parameters of one execution: a list in braces, or a vector for statements made by the program. It
/// borrows both.
class Parameters {
 public:
  Parameters() noexcept = default;
  Parameters(std::initializer_list<Parameter> list) noexcept {  // NOLINT(google-explicit-constructor)
    first_ = list.begin();  // lives to the end of the full expression, which is the execution
    size_ = list.size();
  }
  Parameters(std::span<const Parameter> list) noexcept  // NOLINT(google-explicit-constructor)
      : first_(list.data()), size_(list.size()) {}

  const Parameter* begin() const noexcept { return first_; }
  const Parameter* end() const noexcept { return first_ + size_; }
  std::size_t size() const noexcept { return size_; }

 private:
  const Parameter* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace nerve::db
