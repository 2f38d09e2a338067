// SPDX-License-Identifier: Apache-2.0
#include "target/step_runner.h"

#include "target/refusal.h"

#include "nerve/core/error.h"

#include <functional>

namespace nerve::convert {

std::string run_step(postgresql::Session& session, const Ledger& ledger, const Step& step,
                     const std::string& key, Transactions transactions) {
  const auto work = [&] {
    session.execute(step.sql);
    ledger.add_step(session, key, "");
  };
  if (transactions == Transactions::one) {
    std::string refusal = refusal_of(session, work);
    if (!refusal.empty()) ledger.add_step(session, key, refusal);
    return refusal;
  }
  const auto in_own_transaction = [&](const std::function<void()>& part) {
    session.transaction([&] {
      ledger.require_own(session);
      part();
    });
  };
  try {
    in_own_transaction(work);
    return {};
  } catch (const DatabaseError& error) {
    if (!is_refusal(error)) throw;
    std::string refusal = error.what();
    in_own_transaction([&] { ledger.add_step(session, key, refusal); });
    return refusal;
  }
}

}  // namespace nerve::convert
