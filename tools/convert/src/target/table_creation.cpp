// SPDX-License-Identifier: Apache-2.0
#include "target/table_creation.h"

#include "target/refusal.h"
#include "target/table_sql.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

namespace nerve::convert {
namespace {

/// As the ledger names it.
std::string key_of(const TablePlan& table, std::size_t column) {
  return fmt::format("column {} of {}", column, table.source);
}

void make_plain(ColumnPlan& column) {
  column.definition = std::move(column.plain->definition);
  column.plain.reset();
  column.is_loaded = true;
}

Untranslated make_plain(Plan& plan, ColumnPlan& column, const std::string& refusal) {
  Untranslated refused = std::move(column.plain->object);
  refused.reason = refusal;
  std::erase(plan.notes, column.plain->note);
  make_plain(column);
  return refused;
}

/// The same table with the expression of one column only, to see whether the server takes that.
TablePlan with_one_expression(const TablePlan& table, std::size_t place) {
  TablePlan one = table;
  for (std::size_t other = 0; other < one.columns.size(); ++other) {
    ColumnPlan& column = one.columns[other];
    if (column.plain && other != place) make_plain(column);
  }
  return one;
}

/// Makes the columns plain whose expressions the server refuses by themselves.
std::vector<Untranslated> drop_refused_expressions(postgresql::Session& session, Plan& plan, TablePlan& table,
                                                   const Ledger& ledger) {
  std::vector<Untranslated> refused;
  for (std::size_t place = 0; place < table.columns.size(); ++place) {
    if (!table.columns[place].plain) continue;
    const TablePlan one = with_one_expression(table, place);
    const std::string refusal = refusal_of(session, [&] {
      session.execute(create_table_sql(one, plan.schema));
      session.execute("DROP TABLE " + qualified_name(plan.schema, table.target));
    });
    if (refusal.empty()) continue;
    ledger.add_step(session, key_of(table, place), refusal);
    refused.push_back(make_plain(plan, table.columns[place], refusal));
  }
  return refused;
}

}  // namespace

std::vector<Untranslated> create_tables(postgresql::Session& session, Plan& plan, const Ledger& ledger) {
  std::vector<Untranslated> refused;
  for (TablePlan& table : plan.tables) {
    const auto create = [&] { session.execute(create_table_sql(table, plan.schema)); };
    if (refusal_of(session, create).empty()) continue;
    std::ranges::move(drop_refused_expressions(session, plan, table, ledger), std::back_inserter(refused));
    const std::string refusal = refusal_of(session, create);
    if (refusal.empty()) continue;
    throw DatabaseError(
        ErrorKind::unsupported, fmt::format("cannot make table {}: {}", table.source, refusal),
        "See its columns with 'nerve-db convert --plan', and leave the table out with a rules file.", "");
  }
  return refused;
}

std::vector<Untranslated> make_computed_plain(Plan& plan, TablePlan& table, const std::string& reason) {
  std::vector<Untranslated> refused;
  for (ColumnPlan& column : table.columns) {
    if (!column.is_loaded) refused.push_back(make_plain(plan, column, reason));
  }
  return refused;
}

std::vector<Untranslated> drop_computed(postgresql::Session& session, Plan& plan, TablePlan& table,
                                        const std::string& reason, const Ledger& ledger) {
  for (std::size_t place = 0; place < table.columns.size(); ++place) {
    const ColumnPlan& column = table.columns[place];
    if (column.is_loaded) continue;
    session.execute(fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP EXPRESSION",
                                qualified_name(plan.schema, table.target),
                                postgresql::quote_identifier(column.target)));
    ledger.add_step(session, key_of(table, place), reason);
  }
  return make_computed_plain(plan, table, reason);
}

std::vector<Untranslated> recall_plain_columns(postgresql::Session& session, Plan& plan,
                                               const Ledger& ledger) {
  std::vector<Untranslated> refused;
  const Ledger::DoneSteps done = ledger.done_steps(session);
  for (TablePlan& table : plan.tables) {
    for (std::size_t place = 0; place < table.columns.size(); ++place) {
      const auto found = done.find(key_of(table, place));
      if (found == done.end() || !table.columns[place].plain) continue;
      refused.push_back(make_plain(plan, table.columns[place], found->second));
    }
  }
  return refused;
}

}  // namespace nerve::convert
