// SPDX-License-Identifier: Apache-2.0
#include "target/step_runner.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

namespace nerve::convert {
namespace {

/// Whether the server objects to the statement or to the rows, not to the moment: by class of its SQLSTATE
/// (PostgreSQL manual, appendix A).
bool is_refusal(const DatabaseError& error) {
  constexpr std::array<std::string_view, 6> classes = {"0A", "22", "23", "42", "54", "2B"};
  return std::ranges::any_of(classes, [&](std::string_view one) { return error.code().starts_with(one); });
}

/// Inside an open transaction, work that fails must leave it usable.
void with_savepoint(postgresql::Session& session, const std::function<void()>& work) {
  session.execute("SAVEPOINT step");
  try {
    work();
  } catch (const DatabaseError& error) {
    if (is_refusal(error)) session.execute("ROLLBACK TO SAVEPOINT step");
    throw;
  }
  session.execute("RELEASE SAVEPOINT step");
}

}  // namespace

std::string run_step(postgresql::Session& session, const Ledger& ledger, const Step& step,
                     const std::string& key, Transactions transactions) {
  const auto in_transaction = [&](const std::function<void()>& work) {
    if (transactions == Transactions::one) return with_savepoint(session, work);
    session.transaction([&] {
      ledger.require_own(session);
      work();
    });
  };
  try {
    in_transaction([&] {
      session.execute(step.sql);
      ledger.add_step(session, key, "");
    });
    return {};
  } catch (const DatabaseError& error) {
    if (!is_refusal(error)) throw;
    std::string refusal = error.what();
    in_transaction([&] { ledger.add_step(session, key, refusal); });
    return refusal;
  }
}

}  // namespace nerve::convert
