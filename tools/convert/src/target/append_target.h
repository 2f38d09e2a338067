// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nerve/backends/postgresql/session.h"
#include "nerve/convert/plan.h"

namespace nerve::convert {

/// Makes of a plan one that loads rows and nothing else: no keys, indexes, constraints and views. What has no
/// equal is no longer told, but for tables and columns that are left out.
void restrict_to_rows(Plan& plan);

/// Fits a plan of rows alone to the tables that are in the target: the order in which its foreign keys ask
/// for the tables, and steps that set sequences on. Nothing is written.
///
/// Throws ValidationError with a violation for each table and column that is missing or cannot take what is
/// sent, and ConflictError where foreign keys that point at each other cannot be satisfied by any order.
/// `is_atomic`: keys that can be deferred are.
void fit_to_target(Plan& plan, postgresql::Session& target, bool is_atomic);

}  // namespace nerve::convert
