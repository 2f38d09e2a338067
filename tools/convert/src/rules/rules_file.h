// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/column_rule.h"
#include "plan/names.h"
#include "rules/rule_errors.h"

#include "nerve/convert/column_type.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nerve::convert {

/// A value with its place in the file.
template <typename T>
struct Placed {
  T value = {};
  RulePlace place = {};
};

/// What a file says of a column, or of a table, which it names as SQLite does.
struct FileColumn {
  Placed<std::string> source;
  std::optional<Placed<std::string>> name;
  std::optional<Placed<ColumnType>> type;
  std::optional<Placed<TimeForm>> time;
  std::optional<Placed<MisfitRule>> on_misfit;
  bool is_skipped = false;
};

struct FileTable {
  Placed<std::string> source;
  std::optional<Placed<std::string>> name;
  std::optional<MisfitRule> on_misfit;
  bool is_skipped = false;
  std::vector<FileColumn> columns;
};

/// A rules file as it is written; docs/converting.md specifies it. Nothing is known of a source yet.
struct RulesFile {
  static constexpr std::size_t size_bytes_max = std::size_t{16} * 1024 * 1024;

  std::optional<CasePolicy> case_policy;
  MisfitRule on_misfit = MisfitRule::widen;
  std::vector<FileTable> tables;  ///< in the order of the file
};

/// Reads a file. What is wrong with keys and values is added to `errors`. Throws NotFoundError and
/// DeniedError for the file, and ValidationError where it is no TOML or too large.
RulesFile read_rules_file(const std::filesystem::path& path, RuleErrors& errors);

}  // namespace nerve::convert
