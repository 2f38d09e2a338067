// SPDX-License-Identifier: Apache-2.0
#include "lint/rules.h"

#include "nerve/core/error.h"

#include <algorithm>
#include <array>
#include <string>

namespace nerve::migrations {

namespace {

using db::Dialect;

constexpr auto both = std::nullopt;

constexpr std::array rules{
    // What loses data.
    LintRule{"drop-table", Severity::error, both,
             "the rows of the table are lost, and the way back cannot bring them",
             "Rename it out of use first, and drop it in a later migration, when a backup holds it."},
    LintRule{"drop-column", Severity::error, both,
             "the values of the column are lost, and programs of the version before fail on it",
             "Stop using it first, and drop it in a later migration, when a backup holds it."},
    LintRule{"drop-cascade", Severity::error, Dialect::postgresql,
             "CASCADE drops whatever depends on the object, also what nobody thought of",
             "Name each object that is to go and drop it by itself; without CASCADE PostgreSQL lists what is "
             "left."},
    LintRule{"truncate", Severity::error, Dialect::postgresql,
             "all rows are lost, past row triggers, under a lock that keeps readers out",
             "Delete the rows that are meant by a condition, in a job."},
    LintRule{"delete-all", Severity::error, both, "DELETE without WHERE empties the table",
             "Say by a condition which rows are meant."},
    LintRule{
        "update-all", Severity::warning, both,
        "UPDATE without WHERE rewrites every row in one transaction: writers wait, and the file or table "
        "grows",
        "Say by a condition which rows are meant (WHERE column IS NULL), and do many in batches by a job."},
    LintRule{
        "insert-or-replace", Severity::error, Dialect::sqlite,
        "REPLACE deletes the old row without firing its DELETE triggers, so that what follows changes by "
        "triggers goes wrong",
        "Write INSERT … ON CONFLICT (key) DO UPDATE SET …."},
    // What breaks programs that still run.
    LintRule{
        "rename-table", Severity::error, both, "programs of the version before fail on the old name",
        "Rename it and make a view of the old name in the same migration, and allow this with that reason."},
    LintRule{"rename-column", Severity::error, both, "programs of the version before fail on the old name",
             "Add the new column, fill it, let programs use it, and drop the old one in a later migration."},
    // What stops others on PostgreSQL.
    LintRule{"create-index-blocking", Severity::error, Dialect::postgresql,
             "CREATE INDEX keeps writers out of the table until it is done",
             "Write CREATE INDEX CONCURRENTLY in a file of its own with the header `no-transaction`."},
    LintRule{"add-column-not-null", Severity::error, Dialect::postgresql,
             "a NOT NULL column without default fails as soon as the table has a row",
             "Give it a default, or add it without NOT NULL, fill it, and require it in a later migration."},
    LintRule{
        "add-column-rewrite", Severity::error, Dialect::postgresql,
        "a default that differs from row to row, an identity or a stored generated column rewrites the whole "
        "table under a lock that keeps readers out",
        "Add the column without it, set the default for new rows by ALTER COLUMN … SET DEFAULT, and fill the "
        "old "
        "ones in batches."},
    LintRule{"alter-column-type", Severity::error, Dialect::postgresql,
             "most changes of a type rewrite the table and its indexes under a lock that keeps readers out",
             "Add a column of the new type, fill it in batches, and change over; where the engine need not "
             "rewrite "
             "(a longer varchar, varchar to text), allow this with that reason."},
    LintRule{"set-not-null", Severity::warning, Dialect::postgresql,
             "SET NOT NULL reads the whole table under a lock that keeps readers out",
             "Add CHECK (column IS NOT NULL) NOT VALID, validate it in the next migration, then SET NOT "
             "NULL, which "
             "reads nothing any more, and drop the check."},
    LintRule{"add-foreign-key", Severity::warning, Dialect::postgresql,
             "adding a foreign key checks every row while writers of both tables wait",
             "Add it NOT VALID, and VALIDATE CONSTRAINT in the next migration, which lets them write."},
    LintRule{"add-check", Severity::warning, Dialect::postgresql,
             "adding a check reads every row under a lock that keeps readers out",
             "Add it NOT VALID, and VALIDATE CONSTRAINT in the next migration."},
    LintRule{"add-unique", Severity::error, Dialect::postgresql,
             "adding a unique or primary key builds its index under a lock that keeps readers out",
             "Build it by CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX."},
    LintRule{
        "vacuum-full", Severity::error, Dialect::postgresql,
        "VACUUM FULL writes the table anew under a lock that keeps readers out",
        "Plain VACUUM gives the space back for new rows; `nerve-db optimize` is for a maintenance window."},
    LintRule{"cluster", Severity::error, Dialect::postgresql,
             "CLUSTER writes the table anew under a lock that keeps readers out",
             "Leave the order to an index."},
    LintRule{"lock-table", Severity::error, Dialect::postgresql,
             "an explicit lock is held to the end of the migration, and its queue keeps others out as well",
             "Leave it out: each statement takes the lock that it needs."},
    LintRule{"reindex-blocking", Severity::error, Dialect::postgresql,
             "REINDEX keeps writers out until it is done",
             "Write REINDEX … CONCURRENTLY in a file of its own with the header `no-transaction`."},
    // What will be regretted.
    LintRule{"no-primary-key", Severity::warning, both,
             "rows of a table without primary key cannot be told apart: not by replication, not by "
             "comparison, not "
             "by an update",
             "Declare the key that the rows have, or give them an id."},
    LintRule{"timestamp-without-time-zone", Severity::warning, Dialect::postgresql,
             "a timestamp without time zone means another moment for each session's time zone",
             "Write timestamptz, or {{ts}}."},
    LintRule{"serial", Severity::warning, Dialect::postgresql,
             "serial leaves a sequence with rights and an owner of its own, which copies and restores forget",
             "Write {{id}}, or bigint GENERATED ALWAYS AS IDENTITY."},
};

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  return severity == Severity::error ? "error" : "warning";
}

std::span<const LintRule> lint_rules() noexcept {
  return rules;
}

const LintRule& lint_rule(std::string_view name) {
  const auto* const found = std::ranges::find(rules, name, &LintRule::name);
  if (found == rules.end()) throw Error(ErrorKind::failure, "no lint rule " + std::string(name));
  return *found;
}

}  // namespace nerve::migrations
