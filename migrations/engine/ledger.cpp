// SPDX-License-Identifier: Apache-2.0
#include "nerve/migrations/ledger.h"

#include "logical_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace nerve::migrations {

namespace {

// {0} is the ledger's table, {1} the one of events; braces of logical types are doubled for fmt.
constexpr std::string_view schema = R"(
CREATE TABLE {0} (
  version {{{{str(70)}}}} NOT NULL PRIMARY KEY,
  module {{{{str(63)}}}} NOT NULL,
  number {{{{num}}}} NOT NULL,
  name {{{{str(100)}}}} NOT NULL,
  description {{{{text}}}} NOT NULL,
  checksum {{{{str(64)}}}} NOT NULL,
  checksum_algorithm {{{{str(20)}}}} NOT NULL,
  state {{{{enum(applied, incomplete_up, incomplete_down)}}}} NOT NULL,
  statements_done {{{{num}}}} NOT NULL,
  application_number {{{{num}}}} NOT NULL,
  origin {{{{enum(applied, baseline)}}}} NOT NULL,
  applied_at {{{{ts}}}} NOT NULL,
  applied_by {{{{text}}}} NOT NULL,
  duration_us {{{{num}}}} NOT NULL
) {{{{strict}}}};
CREATE TABLE {1} (
  event_number {{{{num}}}} NOT NULL PRIMARY KEY,
  occurred_at {{{{ts}}}} NOT NULL,
  action {{{{enum(up, down, baseline, fail, accept, adopt, ignore, compare)}}}} NOT NULL,
  subject {{{{text}}}} NOT NULL,
  checksum {{{{str(64)}}}} NOT NULL,
  actor {{{{text}}}} NOT NULL,
  duration_us {{{{num}}}} NOT NULL,
  detail {{{{text}}}} NOT NULL
) {{{{strict}}}};
)";

/// In no order.
std::vector<std::string> column_names(db::Transaction& transaction, const std::string& table) {
  const std::string_view sql =
      transaction.dialect() == db::Dialect::sqlite
          ? "SELECT name FROM pragma_table_info(:table)"
          : "SELECT CAST(attname AS text) FROM pg_catalog.pg_attribute WHERE attrelid "
            "OPERATOR(pg_catalog.=) pg_catalog.to_regclass(:table) AND attnum "
            "OPERATOR(pg_catalog.>) 0 AND NOT attisdropped";
  std::vector<std::string> names;
  transaction.each<std::string>(sql, {{"table", table}},
                                [&](std::string name) { names.push_back(std::move(name)); });
  return names;
}

Event event_of(std::int64_t number, Timestamp occurred_at, Action action, std::string subject,
               std::string checksum, std::string actor, std::int64_t duration_us, std::string detail) {
  return {number,
          occurred_at,
          action,
          std::move(subject),
          std::move(checksum),
          std::move(actor),
          std::chrono::microseconds(duration_us),
          std::move(detail)};
}

}  // namespace

Ledger::Ledger(const db::Identifier& table)
    : table_(table.name()),
      events_table_(table_ == table_default ? std::string(events_table_default)
                                            : db::Identifier(table_ + "_events").name()) {}

Ledger::Presence Ledger::presence(db::Transaction& transaction) const {
  const std::vector<std::string> columns = column_names(transaction, table_);
  if (columns.empty()) return Presence::absent;
  return std::ranges::find(columns, "checksum_algorithm") == columns.end() ? Presence::foreign
                                                                           : Presence::present;
}

void Ledger::create(db::Transaction& transaction) const {
  transaction.execute_script(expand_logical_types(fmt::format(fmt::runtime(schema), table_, events_table_),
                                                  transaction.dialect(), "ledger"));
}

std::vector<LedgerEntry> Ledger::entries(db::Transaction& transaction) const {
  std::vector<LedgerEntry> entries;
  transaction.each<std::string, int, std::string, std::string, std::string, EntryState, std::int64_t,
                   std::int64_t, Origin, Timestamp, std::string, std::int64_t>(
      "SELECT module, number, name, description, checksum, state, statements_done, application_number, "
      "origin, applied_at, "
      "applied_by, duration_us FROM " +
          table_,
      {},
      [&](std::string module, int number, std::string name, std::string description, std::string checksum,
          EntryState state, std::int64_t statements_done, std::int64_t application_number, Origin origin,
          Timestamp applied_at, std::string applied_by, std::int64_t duration_us) {
        entries.push_back({{std::move(module), number},
                           std::move(name),
                           std::move(description),
                           std::move(checksum),
                           state,
                           statements_done,
                           application_number,
                           origin,
                           applied_at,
                           std::move(applied_by),
                           std::chrono::microseconds(duration_us)});
      });
  // Not by the engine, which would copy each row into a sorter: they mostly lie in this order.
  std::ranges::sort(entries, {}, &LedgerEntry::application_number);
  return entries;
}

void Ledger::insert(db::Transaction& transaction, const LedgerEntry& entry) const {
  transaction.execute("INSERT INTO " + table_ +
                          " (version, module, number, name, description, checksum, checksum_algorithm, "
                          "state, statements_done, "
                          "application_number, origin, applied_at, applied_by, duration_us) VALUES "
                          "(:version, :module, :number, "
                          ":name, :description, :checksum, :algorithm, :state, :statements_done, (SELECT "
                          "coalesce(max(application_number), 0) + 1 "
                          "FROM " +
                          table_ + "), :origin, :applied_at, :applied_by, :duration_us)",
                      {{"version", entry.reference.to_string()},
                       {"module", entry.reference.module},
                       {"number", entry.reference.number},
                       {"name", entry.name},
                       {"description", entry.description},
                       {"checksum", entry.checksum},
                       {"algorithm", checksum_algorithm},
                       {"state", entry.state},
                       {"statements_done", entry.statements_done},
                       {"origin", entry.origin},
                       {"applied_at", entry.applied_at},
                       {"applied_by", entry.applied_by},
                       {"duration_us", static_cast<std::int64_t>(entry.duration.count())}});
}

// A version is cast, since varchar has no operators of its own in PostgreSQL's catalogue: one that somebody
// has made for it in the user's schema would run here.
void Ledger::update(db::Transaction& transaction, const LedgerEntry& entry) const {
  transaction.execute(
      "UPDATE " + table_ +
          " SET checksum = :checksum, state = :state, statements_done = :statements_done, "
          "applied_at = :applied_at, duration_us = :duration_us WHERE CAST(version AS text) = :version",
      {{"checksum", entry.checksum},
       {"state", entry.state},
       {"statements_done", entry.statements_done},
       {"applied_at", entry.applied_at},
       {"duration_us", static_cast<std::int64_t>(entry.duration.count())},
       {"version", entry.reference.to_string()}});
}

void Ledger::erase(db::Transaction& transaction, const Reference& reference) const {
  transaction.execute("DELETE FROM " + table_ + " WHERE CAST(version AS text) = :version",
                      {{"version", reference.to_string()}});
}

void Ledger::record(db::Transaction& transaction, const Event& event) const {
  transaction.execute(
      "INSERT INTO " + events_table_ +
          " (event_number, occurred_at, action, subject, checksum, actor, duration_us, detail) VALUES "
          "((SELECT coalesce(max(event_number), 0) + 1 FROM " +
          events_table_ + "), :occurred_at, :action, :subject, :checksum, :actor, :duration_us, :detail)",
      {{"occurred_at", event.occurred_at},
       {"action", event.action},
       {"subject", event.subject},
       {"checksum", event.checksum},
       {"actor", event.actor},
       {"duration_us", static_cast<std::int64_t>(event.duration.count())},
       {"detail", event.detail}});
}

std::vector<Event> Ledger::events(db::Transaction& transaction, std::int64_t limit,
                                  std::optional<std::int64_t> before) const {
  std::vector<Event> events;
  transaction.each<std::int64_t, Timestamp, Action, std::string, std::string, std::string, std::int64_t,
                   std::string>(
      "SELECT event_number, occurred_at, action, subject, checksum, actor, duration_us, detail FROM " +
          events_table_ + " WHERE event_number < :before ORDER BY event_number DESC LIMIT :limit",
      {{"before", before.value_or(std::numeric_limits<std::int64_t>::max())}, {"limit", limit}},
      [&](auto&&... columns) { events.push_back(event_of(std::forward<decltype(columns)>(columns)...)); });
  return events;
}

bool Ledger::was_ever_applied(db::Transaction& transaction) const {
  return transaction.one<bool>(
      "SELECT EXISTS (SELECT 1 FROM " + table_ +
      " WHERE state <> 'incomplete_up' OR statements_done > 0) OR EXISTS (SELECT 1 FROM " + events_table_ +
      " WHERE action IN ('up', 'down', 'baseline'))");
}

std::vector<Event> Ledger::decisions(db::Transaction& transaction) const {
  std::vector<Event> events;
  transaction.each<std::int64_t, Timestamp, Action, std::string, std::string, std::string, std::int64_t,
                   std::string>(
      "SELECT event_number, occurred_at, action, subject, checksum, actor, duration_us, detail FROM " +
          events_table_ + " WHERE event_number IN (SELECT max(event_number) FROM " + events_table_ +
          " WHERE action IN ('adopt', 'ignore', 'compare') GROUP BY subject) ORDER BY subject",
      {},
      [&](auto&&... columns) { events.push_back(event_of(std::forward<decltype(columns)>(columns)...)); });
  return events;
}

}  // namespace nerve::migrations
