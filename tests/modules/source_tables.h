// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace nerve::test {

/// The tables and views of the source systems with their columns, as the list of them says: for each name the
/// columns of all systems that have it.
///
/// The list is written for people. A line "name: column type · column type …" or "name, name: …" is a table,
/// and so is each "name (column, column)" behind "core database:". Of a column's text its first words count,
/// as far as they are names with commas between; what begins otherwise is prose and passed over. "+std"
/// stands for user_id, created_at, updated_at and deleted_at.
std::map<std::string, std::set<std::string>> read_source_tables(const std::filesystem::path& file);

}  // namespace nerve::test
