// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/sqlite/session.h"
#include "nerve/core/bytes.h"

#include <cstdint>
#include <string_view>

namespace nerve::convert {

/// A value of a row of the source, asked of SQLite once. Text and blob are valid as long as the row.
struct SourceValue {
  SourceValue(const sqlite::Row& row, int column) : storage_class(row.storage_class(column)) {
    switch (storage_class) {
      case sqlite::StorageClass::null:
        break;
      case sqlite::StorageClass::integer:
        integer = row.integer(column);
        break;
      case sqlite::StorageClass::real:
        real = row.real(column);
        break;
      case sqlite::StorageClass::text:
        octets = row.text(column);
        break;
      case sqlite::StorageClass::blob:
        octets = as_text(row.blob(column));
        break;
    }
  }

  sqlite::StorageClass storage_class;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view octets = {};  ///< of text, as UTF-8, or of a blob
};

}  // namespace nerve::convert
