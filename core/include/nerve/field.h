// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/core/json.h"
#include "nerve/db/codec.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace nerve {

/// What a column holds, for whoever shows, compares or reads it without knowing its C++ type.
enum class FieldKind : std::uint8_t { text, integer, real, boolean, bytes, id, time, json, choice };

/// A C++ type that a column can be held in.
struct FieldType {
  FieldKind kind = FieldKind::text;
  db::ValueType value_type = db::ValueType::text;     ///< what the engine is asked for
  bool is_optional = false;                           ///< NULL is absence
  std::span<const std::string_view> choices = {};     ///< the texts of an enum
  db::Value (*encode)(const void* member) = nullptr;  ///< borrows from the member
  void (*decode)(void* member, const db::Cell& cell) = nullptr;
};

/// What the sweep does with a reference whose record has been missing for long.
enum class OrphanAction : std::uint8_t {
  report,  ///< nothing: people decide
  clear,   ///< sets the column to NULL
  remove,  ///< soft-deletes the row
};

/// The record of the other store that a column holds the id of; no foreign key can hold it.
struct FieldReference {
  std::string_view table;
  OrphanAction on_orphan = OrphanAction::report;
};

/// One column of a record: where it is in the struct, and what is to be known of it.
///
/// A constant: each function returns a copy that says one thing more.
///
///   field<&Tenant::slug>("slug").natural_key().listed()
struct Field {
  std::string_view name;  ///< of the column; also in JSON, in CSV and in --where
  const FieldType* type = nullptr;
  void* (*member)(void* record) = nullptr;
  const void* record_tag = nullptr;  ///< whose member it is
  FieldKind kind = FieldKind::text;
  std::string_view description = {};  ///< one line
  std::string_view option = {};       ///< by which people give it to a command: "--seats"
  std::optional<FieldReference> reference = std::nullopt;
  bool is_key = false;
  bool is_natural_key = false;
  bool is_listed = false;
  bool is_immutable = false;
  bool is_personal = false;
  bool is_sealed = false;
  bool is_secret = false;

  /// Part of a primary key that is not "id" alone.
  constexpr Field key() const { return with(&Field::is_key); }
  /// What people call the record by in commands; unique, in its tenant where it has one.
  constexpr Field natural_key() const { return with(&Field::is_natural_key); }
  /// A column of the lists that people see.
  constexpr Field listed() const { return with(&Field::is_listed); }
  /// An update that changes it is refused.
  constexpr Field immutable() const { return with(&Field::is_immutable); }
  /// Says something of a natural person (GDPR Art. 4(1)), alone or by the row it stands in: a name, an
  /// address, a user's id, and when that person did something. The name of a company is none, and neither are
  /// the columns that every table has (created_by and the times of the row itself).
  constexpr Field personal() const { return with(&Field::is_personal); }
  /// Holds envelopes of encrypted values.
  constexpr Field sealed() const { return with(&Field::is_sealed); }
  /// Never shown, in no form.
  constexpr Field secret() const { return with(&Field::is_secret); }
  /// Text that is JSON.
  constexpr Field json() const {
    Field field = *this;
    field.kind = FieldKind::json;
    return field;
  }
  /// May be given by people, with this option.
  constexpr Field given_by(std::string_view name_of_option, std::string_view what) const {
    Field field = *this;
    field.option = name_of_option;
    field.description = what;
    return field;
  }
  /// Holds the id of a record of the other store: checked when it is written (require_reference), by health,
  /// and by the orphan sweep.
  constexpr Field refers_across(std::string_view table, OrphanAction on_orphan = OrphanAction::report) const {
    Field field = *this;
    field.reference = {table, on_orphan};
    return field;
  }

  db::Value value_in(const void* record) const {
    return type->encode(member(const_cast<void*>(record)));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }

 private:
  constexpr Field with(bool Field::*flag) const {
    Field field = *this;
    field.*flag = true;
    return field;
  }
};

namespace detail {

template <class T>
inline constexpr bool is_id = false;
template <>
inline constexpr bool is_id<Uuid> = true;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;

template <class T>
constexpr FieldKind kind_of() {
  if constexpr (std::is_enum_v<T>) {
    return FieldKind::choice;
  } else if constexpr (is_id<T>) {
    return FieldKind::id;
  } else if constexpr (std::same_as<T, Timestamp>) {
    return FieldKind::time;
  } else if constexpr (std::same_as<T, std::vector<std::string>>) {
    return FieldKind::json;
  } else if constexpr (std::same_as<T, bool>) {
    return FieldKind::boolean;
  } else if constexpr (std::integral<T>) {
    return FieldKind::integer;
  } else if constexpr (std::floating_point<T>) {
    return FieldKind::real;
  } else if constexpr (std::same_as<T, Bytes>) {
    return FieldKind::bytes;
  } else {
    return FieldKind::text;
  }
}

template <class T>
struct WithoutOptional {
  using type = T;
};
template <class T>
struct WithoutOptional<std::optional<T>> {
  using type = T;
};

template <class T>
constexpr std::span<const std::string_view> choices_of_type() {
  if constexpr (std::is_enum_v<T>) {
    return db::enum_texts<T>;
  } else {
    return {};
  }
}

template <class T>
inline constexpr FieldType field_type{
    .kind = kind_of<typename WithoutOptional<T>::type>(),
    .value_type = db::Codec<T>::type,
    .is_optional = db::is_optional<T>,
    .choices = choices_of_type<typename WithoutOptional<T>::type>(),
    .encode = [](const void* member) -> db::Value {
      return db::Codec<T>::encode(*static_cast<const T*>(member));
    },
    .decode = [](void* member,
                 const db::Cell& cell) { *static_cast<T*>(member) = db::Codec<T>::decode(cell); }};

/// Its address stands for the type.
template <class R>
inline constexpr char record_tag{};

template <auto Member>
struct MemberOf;
template <class R, class T, T R::*Member>
struct MemberOf<Member> {
  using Record = R;
  using Type = T;
  static void* in(void* record) { return &(static_cast<R*>(record)->*Member); }
};

}  // namespace detail

template <auto Member>
constexpr Field field(std::string_view column) {
  using Of = detail::MemberOf<Member>;
  using Type = typename Of::Type;
  return {.name = column,
          .type = &detail::field_type<Type>,
          .member = &Of::in,
          .record_tag = &detail::record_tag<typename Of::Record>,
          .kind = detail::field_type<Type>.kind};
}

/// The value in JSON; bytes in base64.
Json json_of(const Field& field, const db::Value& value);

/// Reads what people write for a field (an option, a cell of CSV, --where). Throws ValidationError that names
/// the field and does not repeat the text.
db::Value parse_field(const Field& field, std::string_view text);

/// What people read for the name of a field: "created" of created_at, "user" of user_id, "max seats".
std::string label_of(const Field& field);
/// The same above a column: "MAX SEATS".
std::string heading_of(const Field& field);

/// A value as the engine would deliver it; borrows from it.
db::Cell cell_of(const db::Value& value) noexcept;

/// The value of a cell, as canonical text where it is a time; owns its octets.
db::Value value_of(const Field& field, const db::Cell& cell);

}  // namespace nerve
