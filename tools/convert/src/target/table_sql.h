// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scan/table_scan.h"

#include "nerve/convert/plan.h"

#include <string>

namespace nerve::convert {

/// "schema"."table", quoted.
std::string qualified_name(const std::string& schema, const std::string& name);

/// CREATE TABLE with the columns and nothing else.
std::string create_table_sql(const TablePlan& table, const std::string& schema);
/// COPY of the loaded columns, in binary.
std::string copy_in_sql(const TablePlan& table, const std::string& schema, bool is_frozen);
/// COPY of all columns, in binary.
std::string copy_out_sql(const TablePlan& table, const std::string& schema);

/// What is read of the source: all columns, also those that the target computes, so that these are compared.
TableQuery source_query(const TablePlan& table);

}  // namespace nerve::convert
