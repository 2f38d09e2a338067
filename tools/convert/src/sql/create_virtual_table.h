// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nerve::convert::sql {

/// The module of a CREATE VIRTUAL TABLE, in lower case: "fts5". What follows it only the module can read.
/// Throws ValidationError where the statement is another one.
std::string parse_virtual_table_module(std::string_view sql);

/// The columns that an FTS5 table keeps and does not search (`name UNINDEXED`). Throws ValidationError for
/// what is no statement.
std::vector<std::string> parse_unindexed_columns(std::string_view sql);

/// What an option of a full-text table says (`content='docs'`), without quotes; empty where it is not given.
/// Throws ValidationError for what is no statement.
std::string parse_module_option(std::string_view sql, std::string_view option);

}  // namespace nerve::convert::sql
