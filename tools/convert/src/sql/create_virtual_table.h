// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nerve::convert::sql {

/// The module of a CREATE VIRTUAL TABLE, in lower case: "fts5". What follows it only the module can read.
/// Throws ValidationError where the statement is another one.
std::string parse_virtual_table_module(std::string_view sql);

}  // namespace nerve::convert::sql
