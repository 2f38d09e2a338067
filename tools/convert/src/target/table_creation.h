// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/ledger.h"

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"

#include <vector>

namespace nerve::convert {

/// Makes the tables of a plan, empty, inside an open transaction. What the server refuses of a default or a
/// computed column becomes a plain column, in the plan too, and is entered in the ledger and returned.
std::vector<Untranslated> create_tables(postgresql::Session& session, Plan& plan, const Ledger& ledger);

/// Makes plain columns, in the plan, of those of a table that the server cannot compute of all rows, for the
/// reason that it gives. Returns what is lost.
std::vector<Untranslated> make_computed_plain(Plan& plan, TablePlan& table, const std::string& reason);

/// The same of a table that is there, inside an open transaction. What was computed stays; each column is
/// entered in the ledger.
std::vector<Untranslated> drop_computed(postgresql::Session& session, Plan& plan, TablePlan& table,
                                        const std::string& reason, const Ledger& ledger);

/// Changes the plan as create_tables() and drop_computed() did in an earlier run.
std::vector<Untranslated> recall_plain_columns(postgresql::Session& session, Plan& plan,
                                               const Ledger& ledger);

}  // namespace nerve::convert
