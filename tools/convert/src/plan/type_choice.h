// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/column_rule.h"

#include "nerve/convert/column_type.h"
#include "nerve/convert/profile.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nerve::convert {

/// The type that a declaration of SQLite asks for; nothing where it has none, or one that says nothing
/// ("ANY", "STRING"), so that the values decide.
struct Declared {
  enum class Kind : std::uint8_t {
    boolean,
    integer,
    real,
    decimal,
    text,
    varchar,
    blob,
    date,
    moment,
    json,
    uuid
  };
  Kind kind = Kind::text;
  int length = 0;     ///< of varchar
  int precision = 0;  ///< of decimal
  int scale = 0;
};
std::optional<Declared> read_declaration(std::string_view declared_type);

/// What must be looked for in a column's values to choose its type, or to judge the one that is ruled.
ColumnInterest interest_in(const std::optional<Declared>& declared, const std::optional<ColumnType>& ruled);

/// "3 integers, 2 texts"; "no values".
std::string describe_values(const ColumnProfile& profile);

struct TypeChoice {
  ColumnType type;
  std::string why;
  std::int64_t misfits = 0;  ///< values that the type does not hold
  std::int64_t changed = 0;  ///< values that are stored as another storage class than they have
};

/// The type that a rule holds a column to, where it is another one than would be chosen without the rule: the
/// ruled type, or the declared one where the policy is not to widen. A declared type that holds none of the
/// values, or would change them, is not held.
std::optional<ColumnType> held_type(const std::optional<Declared>& declared, const ColumnProfile& profile,
                                    const ColumnRule& rule);

/// The type of a column: as the rule holds it; or else as it is declared where every value fits, or else one
/// that holds what it has. Where a type is held, `held_misfits` is the number of values that do not fit it.
TypeChoice choose_type(const std::optional<Declared>& declared, const ColumnProfile& profile,
                       const ColumnRule& rule = {}, std::int64_t held_misfits = 0);

}  // namespace nerve::convert
