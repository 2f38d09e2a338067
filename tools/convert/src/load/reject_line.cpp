// SPDX-License-Identifier: Apache-2.0
#include "load/reject_line.h"

#include <nlohmann/json.hpp>

namespace nerve::convert {
namespace {

std::string_view name_of(sqlite::StorageClass storage_class) noexcept {
  switch (storage_class) {
    case sqlite::StorageClass::null:
      return "null";
    case sqlite::StorageClass::integer:
      return "integer";
    case sqlite::StorageClass::real:
      return "real";
    case sqlite::StorageClass::text:
      return "text";
    case sqlite::StorageClass::blob:
      return "blob";
  }
  return "";
}

}  // namespace

std::string reject_line(const TablePlan& table, const Reject& reject, const Json& whole) {
  const ColumnPlan& column = table.columns[reject.column];
  nlohmann::ordered_json line;
  line["table"] = table.source;
  line["rowid"] = reject.rowid ? nlohmann::ordered_json(*reject.rowid) : nlohmann::ordered_json();
  line["column"] = column.source;
  line["storage_class"] = name_of(reject.storage_class);
  line["type"] = to_ddl(column.type);
  line["reason"] = to_string(reject.misfit);
  line["action"] = reject.is_row_left_out ? "row left out" : "stored as NULL";
  line["row"] = whole;
  // Names of columns may hold octets that are not UTF-8.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace nerve::convert
