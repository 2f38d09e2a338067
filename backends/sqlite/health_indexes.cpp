// SPDX-License-Identifier: Apache-2.0
#include "sqlite/foreign_key_indexes.h"
#include "sqlite/health_checks.h"

#include "nerve/core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

/// Checks of what helps the planner, and of what only costs it.
namespace nerve::sqlite {

using health::Check;
using health::Status;

namespace {

/// A longer script would not fit a command line; what it leaves out is found by the next run.
constexpr std::size_t statements_max = 100;

std::string script_of(std::span<const std::string> statements) {
  return fmt::format("{}", fmt::join(statements.first(std::min(statements.size(), statements_max)), "; "));
}

}  // namespace

Check check_statistics(Session& session, const std::vector<Proposal>& proposals) {
  Check check{.id = "sqlite.statistics",
              .status = Status::ok,
              .value = "recent",
              .threshold = "every indexed table of 100 rows or more is measured",
              .message = "the planner knows how many rows the tables have",
              .fix = {}};
  if (const std::vector<std::string> left_out = tables_not_analysed(session); !left_out.empty())
    check.message += "; left out, for only their application can analyse them: " + list_names(left_out);
  const auto found = std::ranges::find(proposals, Task::analyze, &Proposal::task);
  if (found == proposals.end()) return check;
  check.status = Status::warning;
  check.value = found->value;
  check.message = found->reason;
  check.fix = optimize_command(session.path());
  return check;
}

Check check_indexes(Session& session, const std::vector<Proposal>& proposals) {
  std::vector<std::string> reasons;
  std::vector<std::string> statements;
  for (const Proposal& proposal : proposals) {
    if (proposal.task != Task::redundant_index) continue;
    reasons.push_back(proposal.reason);
    statements.push_back(proposal.statement);
  }
  Check check{.id = "sqlite.indexes",
              .status = Status::ok,
              .value = fmt::format("{} superfluous", reasons.size()),
              .threshold = "none",
              .message = "no index is covered by another one",
              .fix = {},
              .number = static_cast<double>(reasons.size()),
              .unit = "count"};
  if (reasons.empty()) return check;
  check.status = Status::warning;
  check.message = list_names(reasons);
  check.fix = sqlite3_command(session.path(), script_of(statements));
  return check;
}

Check check_foreign_key_indexes(Session& session) {
  std::vector<UnindexedForeignKey> keys;
  session.read_snapshot([&] { keys = find_unindexed_foreign_keys(session); });
  Check check{.id = "sqlite.foreign_key_indexes",
              .status = Status::ok,
              .value = fmt::format("{} without index", keys.size()),
              .threshold = "none",
              .message = "an index begins with the columns of each foreign key",
              .fix = {},
              .number = static_cast<double>(keys.size()),
              .unit = "count"};
  if (keys.empty()) return check;
  std::vector<std::string> names;
  std::vector<std::string> statements;
  for (const UnindexedForeignKey& key : keys) {
    names.push_back(key.describe());
    statements.push_back(key.statement);
  }
  check.status = Status::warning;
  check.message = "no index helps to find the rows that refer to a parent: " + list_names(names);
  check.fix = sqlite3_command(session.path(), script_of(statements));
  return check;
}

}  // namespace nerve::sqlite
