// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/convert/convert.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::test {

/// A small database with one hard feature, and what it becomes.
struct TortureCase {
  std::string name;
  std::string script;   ///< of SQLite; it makes the source
  std::string outcome;  ///< as describe_outcome() writes it
};

/// The cases of a file: "=== NAME", the script, "---", the outcome.
std::vector<TortureCase> read_cases(const std::filesystem::path& file);

/// Makes a database by a script. Throws std::runtime_error where SQLite refuses it.
void make_source(const std::filesystem::path& path, std::string_view script);

/// Makes a database by those statements that SQLite takes.
void make_source_of_valid(const std::filesystem::path& path, const std::vector<std::string>& statements);

/// Empties the schemas that conversions write.
void clear_target(const std::string& target_url);

/// What the catalogue says of a schema: tables and views by name; of each its columns, constraints, indexes
/// and rows, the latter two in order. A column of text is in the collation "C" where nothing is said of it.
std::string describe_schema(const std::string& target_url, const std::string& schema = "public");

/// What a report says beyond equal rows: objects without an equal, what the server refused, the rejects with
/// table, rowid, column and reason, tables with rejected or changed values, and tables that are not equal.
std::string describe_report(const convert::ConvertReport& report, const std::filesystem::path& rejects);

}  // namespace nerve::test
