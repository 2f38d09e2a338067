// SPDX-License-Identifier: Apache-2.0
#include "postgresql/script.h"

#include "nerve/core/error.h"
#include "nerve/db/sql_script.h"

#include <string>

namespace nerve::backends {

void require_no_transaction_control(std::string_view script) {
  for (const db::ScriptStatement& statement : db::split_script(script, db::Dialect::postgresql)) {
    const std::string_view control = db::transaction_control(statement.sql, db::Dialect::postgresql);
    if (control.empty()) continue;
    throw ValidationError("line " + std::to_string(statement.line) +
                              " of the script begins a statement of transaction control (" +
                              std::string(control) + ")",
                          "Remove it: the script runs inside the transaction that was begun for it.");
  }
}

}  // namespace nerve::backends
