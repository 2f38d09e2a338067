// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values/row_buffer.h"

#include "nerve/backends/sqlite/session.h"
#include "nerve/convert/column_type.h"

#include <cstdint>
#include <string_view>

namespace nerve::convert {

/// Why a value cannot be stored as its column is planned.
enum class Misfit : std::uint8_t {
  none,
  storage_class,  ///< a type that holds no value of this storage class
  range,          ///< outside the type's range
  precision,      ///< the type would round it
  length,         ///< longer than the column
  nul,            ///< text with a NUL
  encoding,       ///< text that is not UTF-8
  syntax,         ///< text that is no value of the type
  width,          ///< the row as a whole is wider than a page
};

/// A few words for the rejects file, which hold nothing of the value.
std::string_view to_string(Misfit misfit) noexcept;

/// Appends a value as a field of binary COPY. On a misfit nothing is appended.
/// `is_text_checked` says that texts of the column are known to be UTF-8 without NUL.
Misfit encode_value(const sqlite::Value& value, const ColumnType& type, bool is_text_checked,
                    RowBuffer& buffer);

}  // namespace nerve::convert
