// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/db/dialect.h"
#include "nerve/migrations/migration.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::migrations {

enum class Severity : std::uint8_t {
  warning,  ///< may be wrong, or be slow on a large table
  error,    ///< loses data, breaks running programs, or stops them on a table with rows
};

/// "warning" or "error".
std::string_view to_string(Severity severity) noexcept;

/// A kind of statement that harms in a way its author may not expect.
struct LintRule {
  std::string_view name;  ///< as the header `allow` names it
  Severity severity = Severity::warning;
  std::optional<db::Dialect> dialect;  ///< absent: both engines
  std::string_view hazard;             ///< what happens: "DELETE without WHERE empties the table"
  std::string_view remedy;             ///< the safe form, as a sentence
};

/// All rules, in the order of docs/migration_lint.md.
std::span<const LintRule> lint_rules() noexcept;

struct LintFinding {
  std::string_view rule;
  Severity severity = Severity::warning;
  std::string file;
  std::size_t line = 0;
  std::string subject;  ///< what it is about: "users", "users.email"
  std::string message;  ///< "drop-table (users): the rows of the table are lost …"
  std::string remedy;
};

/// What the way up of a migration does on one engine that its author should have meant; in the order of its
/// lines. What a header `allow` names is left out, and so is what concerns only tables that the same
/// migration makes, or rebuilds where its header says so. The bodies of functions and DO blocks are not
/// looked into.
///
/// Throws ValidationError that names the file for a rule in `allow` that does not exist, and what
/// Migration::statements throws.
std::vector<LintFinding> lint(const Migration& migration, db::Dialect dialect);

}  // namespace nerve::migrations
