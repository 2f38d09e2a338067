// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/lint.h"

#include "catalogue/read_catalogue.h"
#include "lint/rules.h"
#include "lint/statement_lint.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/db/sql_scanner.h"

#include <fmt/format.h>

#include <algorithm>

namespace nerve::migrations {

namespace {

void require_known_rules(const Migration& migration) {
  std::vector<std::string_view> names;
  for (const LintRule& rule : lint_rules()) names.push_back(rule.name);
  for (const Permission& permission : migration.permissions) {
    if (std::ranges::find(names, permission.rule) != names.end()) continue;
    const auto meant = closest_match(permission.rule, names);
    throw ValidationError(
        fmt::format("{}: `allow` names the rule \"{}\", which does not exist", migration.file,
                    permission.rule),
        meant ? fmt::format("Did you mean \"{}\"?", *meant) : "docs/migration_lint.md lists the rules.");
  }
}

bool is_allowed(const Migration& migration, std::string_view rule) {
  return std::ranges::any_of(migration.permissions,
                             [&](const Permission& permission) { return permission.rule == rule; });
}

}  // namespace

std::vector<LintFinding> lint(const Migration& migration, db::Dialect dialect) {
  require_known_rules(migration);
  OwnTables own;
  if (dialect == db::Dialect::sqlite) {
    for (const std::string& table : migration.rebuilt_tables) own.insert(folded(table));
  }
  std::vector<LintFinding> findings;
  for (const MigrationStatement& statement : migration.statements(Direction::up, dialect)) {
    for (const Hazard& hazard : hazards_of(statement.sql, dialect, own)) {
      const LintRule& rule = lint_rule(hazard.rule);
      if (is_allowed(migration, rule.name) || (rule.dialect && *rule.dialect != dialect)) continue;
      findings.push_back({.rule = rule.name,
                          .severity = rule.severity,
                          .file = migration.file,
                          .line = statement.line + db::line_of(statement.sql, hazard.offset) - 1,
                          .subject = hazard.subject,
                          .message = fmt::format("{} ({}): {}", rule.name, hazard.subject, rule.hazard),
                          .remedy = std::string(rule.remedy)});
    }
  }
  return findings;
}

}  // namespace nerve::migrations
