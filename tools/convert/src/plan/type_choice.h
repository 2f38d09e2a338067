// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// What must be looked for in a column's values to choose its type.
ColumnInterest interest_in(const std::optional<Declared>& declared);

struct TypeChoice {
  ColumnType type;
  std::string why;
  std::int64_t misfits = 0;  ///< values that the type does not hold
  std::int64_t changed = 0;  ///< values that are stored as another storage class than they have
};

/// The type of a column: as it is declared where every value fits, or else one that holds what it has.
TypeChoice choose_type(const std::optional<Declared>& declared, const ColumnProfile& profile);

/// The count of values that do not fit a type that somebody chose. Where the profile cannot tell, all that
/// may not fit are counted.
TypeChoice judge_type(const ColumnType& type, const ColumnProfile& profile);

}  // namespace nerve::convert
