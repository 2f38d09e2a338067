// SPDX-License-Identifier: Apache-2.0
// nerve-db migrate verify: files, history, lint and drift
#include "exit_codes.h"
#include "migrate_commands.h"
#include "migrate_target.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/migrations/drift.h"
#include "nerve/migrations/lint.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace nerve::cli {

namespace {

using migrations::Acceptance;
using migrations::Difference;
using migrations::DriftReport;
using migrations::LintFinding;
using migrations::SchemaState;

/// What was found about one database; the exit code is that of the worst.
struct Verification {
  SchemaState state;
  std::string unsound;  ///< why files and history do not fit; empty where they do
  std::string remedy;
  int exit_code = 0;
  std::vector<LintFinding> findings;
  DriftReport drift;
};

Verification verify(MigrationTarget& target) {
  Verification found{
      .state = target.migrator().state(), .unsound = {}, .remedy = {}, .findings = {}, .drift = {}};
  try {
    found.state.require_sound();
  } catch (const Error& error) {
    found.unsound = error.what();
    found.remedy = error.hint();
    found.exit_code = static_cast<int>(exit_code_of(error.kind()));
    // Nothing was compared, which must not read as "no drift".
    found.drift.unknown = found.unsound;
    found.drift.hint = found.remedy;
  }
  for (const migrations::MigrationState& state : found.state.migrations) {
    const bool is_open = state.condition == migrations::Condition::pending ||
                         state.condition == migrations::Condition::incomplete;
    if (!is_open) continue;
    for (LintFinding& finding : migrations::lint(*state.migration, target.url.engine))
      found.findings.push_back(std::move(finding));
  }
  if (found.unsound.empty()) {
    found.drift = target.find_drift();
    if (found.drift.open_count() > 0) found.exit_code = static_cast<int>(ExitCode::drift);
    if (!found.drift.is_known()) found.exit_code = static_cast<int>(ExitCode::unsupported);
  }
  return found;
}

Json difference_json(const Difference& difference) {
  return {{"object", difference.object},
          {"kind", std::string(to_string(difference.kind))},
          {"changes", difference.changes},
          {"fingerprint", difference.fingerprint},
          {"acceptance", std::string(to_string(difference.acceptance))},
          {"reason", difference.reason}};
}

Json to_json(const Verification& found) {
  Json differences = Json::array();
  for (const Difference& difference : found.drift.differences)
    differences.push_back(difference_json(difference));
  Json findings = Json::array();
  for (const LintFinding& finding : found.findings) {
    findings.push_back({{"rule", std::string(finding.rule)},
                        {"severity", std::string(to_string(finding.severity))},
                        {"file", finding.file},
                        {"line", finding.line},
                        {"message", finding.message},
                        {"remedy", finding.remedy}});
  }
  return {{"database", found.state.database},
          {"sound", found.unsound.empty()},
          {"problem", found.unsound},
          {"drift",
           {{"known", found.drift.is_known()},
            {"unknown", found.drift.unknown},
            {"compared", found.drift.compared},
            {"differences", std::move(differences)}}},
          {"lint", std::move(findings)}};
}

void show_differences(Output& output, const DriftReport& drift) {
  for (const Difference& difference : drift.differences) {
    const bool is_accepted = difference.acceptance != Acceptance::none;
    std::string line = fmt::format("{}: {}", to_string(difference.kind), difference.object);
    if (is_accepted) {
      line += fmt::format(" ({}{}{})", to_string(difference.acceptance),
                          difference.reason.empty() ? "" : ": ", difference.reason);
    }
    output.line(line, is_accepted ? Style::faint : Style::warning);
    for (const std::string& change : difference.changes) output.line("  " + change);
  }
}

void show(Output& output, const Verification& found) {
  for (const LintFinding& finding : found.findings) {
    output.line(fmt::format("{}:{}: {}: {}", finding.file, finding.line, to_string(finding.severity),
                            finding.message),
                finding.severity == migrations::Severity::error ? Style::bad : Style::warning);
    output.line("  " + finding.remedy);
  }
  if (!found.unsound.empty()) {
    output.line(found.unsound, Style::bad);
    output.line("  " + found.remedy);
    return;
  }
  show_differences(output, found.drift);
  if (!found.drift.is_known()) {
    output.line("the schema could not be compared: " + found.drift.unknown, Style::strong);
    output.line("  " + found.drift.hint);
  } else if (found.drift.open_count() > 0) {
    output.line(fmt::format("{}: {} of {} objects are not what the migrations make", found.state.database,
                            found.drift.open_count(), found.drift.compared),
                Style::warning);
    output.note(
        "keep one as it is now: nerve-db migrate repair --adopt 'OBJECT' --reason TEXT; never compare it: "
        "--ignore");
  } else {
    output.line(fmt::format("{}: files and history fit, {} objects are what the migrations make",
                            found.state.database, found.drift.compared),
                Style::good);
  }
}

}  // namespace

int run_migrate_verify(Context& context, const Arguments& arguments) {
  Output& output = context.output();
  int exit_code = 0;
  Json json = Json::array();
  for (MigrationTarget& target : migration_targets(context, arguments, TargetAccess::compare)) {
    const Verification found = verify(target);
    exit_code = std::max(exit_code, found.exit_code);
    if (output.wants_json()) {
      json.push_back(to_json(found));
    } else {
      show(output, found);
    }
  }
  if (output.wants_json()) output.json({{"databases", std::move(json)}});
  return exit_code;
}

}  // namespace nerve::cli
