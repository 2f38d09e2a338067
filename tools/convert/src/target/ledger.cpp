// SPDX-License-Identifier: Apache-2.0
#include "target/ledger.h"

#include "nerve/core/error.h"

#include <array>
#include <charconv>

namespace nerve::convert {
namespace {

using Parameter = postgresql::Session::Parameter;

constexpr const char* tables = R"(
CREATE TABLE IF NOT EXISTS nerve_convert.conversion (
  target_schema text PRIMARY KEY,
  source text NOT NULL,
  source_digest text NOT NULL,
  plan_digest text NOT NULL,
  run text NOT NULL DEFAULT gen_random_uuid()::text,
  begun_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE TABLE IF NOT EXISTS nerve_convert.sent (
  target_schema text NOT NULL,
  target_table text NOT NULL,
  digest text NOT NULL,
  PRIMARY KEY (target_schema, target_table, digest)
);
CREATE TABLE IF NOT EXISTS nerve_convert.before (
  target_schema text NOT NULL REFERENCES nerve_convert.conversion ON DELETE CASCADE,
  source_table text NOT NULL,
  rows bigint NOT NULL,
  digest_low bigint NOT NULL,
  digest_high bigint NOT NULL,
  PRIMARY KEY (target_schema, source_table)
);
ALTER TABLE nerve_convert.conversion ADD COLUMN IF NOT EXISTS run text NOT NULL DEFAULT gen_random_uuid()::text;
CREATE TABLE IF NOT EXISTS nerve_convert.range (
  target_schema text NOT NULL REFERENCES nerve_convert.conversion ON DELETE CASCADE,
  source_table text NOT NULL,
  first_rowid bigint NOT NULL,
  rows bigint NOT NULL,
  digest_low bigint NOT NULL,
  digest_high bigint NOT NULL,
  rejected bigint NOT NULL,
  nulled bigint NOT NULL,
  PRIMARY KEY (target_schema, source_table, first_rowid)
);
CREATE TABLE IF NOT EXISTS nerve_convert.step (
  target_schema text NOT NULL REFERENCES nerve_convert.conversion ON DELETE CASCADE,
  step text NOT NULL,
  refusal text NOT NULL,
  PRIMARY KEY (target_schema, step)
);
CREATE TABLE IF NOT EXISTS nerve_convert.reject (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  target_schema text NOT NULL REFERENCES nerve_convert.conversion ON DELETE CASCADE,
  line text NOT NULL
);
)";

constexpr int rejects_page = 1'000;

std::int64_t number(const postgresql::Row& row, int column) {
  const std::string_view text = row.text(column).value_or("0");
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The digest's bits as a number that bigint holds.
std::string signed_text(std::uint64_t bits) {
  return std::to_string(static_cast<std::int64_t>(bits));
}

}  // namespace

void Ledger::lock(postgresql::Session& session) {
  session.execute("SELECT pg_advisory_xact_lock(hashtextextended('nerve_convert', 0))");
}

void Ledger::create_tables(postgresql::Session& session) {
  session.execute("CREATE SCHEMA IF NOT EXISTS nerve_convert");
  // It can have been there, made by somebody who waits for what is written into it.
  session.require_trusted_schema(schema);
  session.execute(tables);
}

bool Ledger::exists(postgresql::Session& session) {
  session.require_trusted_schema(schema);
  return session.text("SELECT to_regclass('nerve_convert.conversion')").has_value();
}

bool Ledger::has_begun(postgresql::Session& session, const std::string& target_schema) {
  if (!exists(session)) return false;
  const std::array<Parameter, 1> parameters{target_schema};
  return session
      .text("SELECT '' FROM nerve_convert.conversion WHERE target_schema = $1 AND ended_at IS NULL",
            parameters)
      .has_value();
}

bool Ledger::may_go_on(postgresql::Session& session) const {
  if (!exists(session)) return false;
  bool is_begun = false;
  const std::array<Parameter, 1> parameters{identity_.schema};
  session.each(
      "SELECT source, source_digest, plan_digest FROM nerve_convert.conversion "
      "WHERE target_schema = $1 AND ended_at IS NULL",
      parameters, [&](const postgresql::Row& row) {
        const bool is_same_source = row.text(1) == identity_.source_digest;
        if (!is_same_source || row.text(2) != identity_.plan_digest) {
          throw ConflictError(
              "a conversion into schema " + identity_.schema + " was begun and not ended, " +
                  (is_same_source ? "by another plan" : "of another source or of another state of it") +
                  ": " + std::string(row.text(0).value_or("")),
              "Go on with the source, the rules and the options as they were. " + how_to_give_up());
        }
        is_begun = true;
      });
  return is_begun;
}

std::string Ledger::how_to_give_up() const {
  return "To give it up, --replace drops what stands in the schema and begins anew; of an append, take its "
         "rows out of the tables, and then DELETE FROM nerve_convert.conversion WHERE target_schema = " +
         postgresql::quote_literal(identity_.schema) + ";";
}

void Ledger::begin(postgresql::Session& session) {
  const std::array<Parameter, 4> parameters{identity_.schema, identity_.source, identity_.source_digest,
                                            identity_.plan_digest};
  run_ = session
             .text(
                 "INSERT INTO nerve_convert.conversion (target_schema, source, source_digest, plan_digest) "
                 "VALUES ($1, $2, $3, $4) RETURNING run",
                 parameters)
             .value_or("");
}

void Ledger::take_over(postgresql::Session& session) {
  // The other run ends its statement, however long that takes.
  session.execute("SET LOCAL lock_timeout = 0");
  const std::array<Parameter, 1> parameters{identity_.schema};
  run_ = session
             .text(
                 "UPDATE nerve_convert.conversion SET run = gen_random_uuid()::text "
                 "WHERE target_schema = $1 AND ended_at IS NULL RETURNING run",
                 parameters)
             .value_or("");
  if (!run_.empty()) return;
  throw ConflictError("another run has ended the conversion into schema " + identity_.schema + " meanwhile",
                      "Compare what is there with the source: nerve-db convert verify.");
}

void Ledger::require_own(postgresql::Session& session) const {
  const std::array<Parameter, 2> parameters{identity_.schema, run_};
  if (session.text("SELECT run FROM nerve_convert.conversion "
                   "WHERE target_schema = $1 AND run = $2 AND ended_at IS NULL FOR SHARE",
                   parameters))
    return;
  throw ConflictError("another run has taken over the conversion into schema " + identity_.schema,
                      "Let that one end; it does the whole of it.");
}

void Ledger::end(postgresql::Session& session, const std::vector<SentTable>& sent) const {
  require_own(session);
  const std::array<Parameter, 1> parameters{identity_.schema};
  for (const char* table : {"before", "range", "step", "reject"}) {
    session.change(std::string("DELETE FROM nerve_convert.") + table + " WHERE target_schema = $1",
                   parameters);
  }
  for (const SentTable& table : sent) {
    const std::array<Parameter, 3> state{identity_.schema, table.target, table.digest};
    session.change(
        "INSERT INTO nerve_convert.sent (target_schema, target_table, digest) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING",
        state);
  }
  session.change("UPDATE nerve_convert.conversion SET ended_at = now() WHERE target_schema = $1", parameters);
}

bool Ledger::was_sent(postgresql::Session& session, const SentTable& table) const {
  const std::array<Parameter, 3> state{identity_.schema, table.target, table.digest};
  return session
      .text(
          "SELECT 'sent' FROM nerve_convert.sent WHERE target_schema = $1 AND target_table = $2 AND "
          "digest = $3",
          state)
      .has_value();
}

void Ledger::forget_sent(postgresql::Session& session) const {
  const std::array<Parameter, 1> parameters{identity_.schema};
  session.change("DELETE FROM nerve_convert.sent WHERE target_schema = $1", parameters);
}

void Ledger::forget(postgresql::Session& session) const {
  const std::array<Parameter, 1> parameters{identity_.schema};
  session.change("DELETE FROM nerve_convert.conversion WHERE target_schema = $1", parameters);
}

void Ledger::set_before(postgresql::Session& session, const TablePlan& table, const DigestSum& rows) const {
  const std::array<Parameter, 5> parameters{identity_.schema, table.source, std::to_string(rows.rows),
                                            signed_text(rows.low), signed_text(rows.high)};
  session.change(
      "INSERT INTO nerve_convert.before (target_schema, source_table, rows, digest_low, digest_high) "
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (target_schema, source_table) DO UPDATE SET "
      "rows = excluded.rows, digest_low = excluded.digest_low, digest_high = excluded.digest_high",
      parameters);
}

std::map<std::string, DigestSum> Ledger::before(postgresql::Session& session) const {
  std::map<std::string, DigestSum> rows_by_table;
  const std::array<Parameter, 1> parameters{identity_.schema};
  session.each(
      "SELECT source_table, rows, digest_low, digest_high FROM nerve_convert.before WHERE target_schema = $1",
      parameters, [&](const postgresql::Row& row) {
        rows_by_table[std::string(row.text(0).value_or(""))] = {
            .rows = number(row, 1),
            .low = static_cast<std::uint64_t>(number(row, 2)),
            .high = static_cast<std::uint64_t>(number(row, 3))};
      });
  return rows_by_table;
}

void Ledger::add_range(postgresql::Session& session, const TablePlan& table, const Range& range,
                       const RangeResult& result) const {
  const std::array<Parameter, 8> parameters{identity_.schema,
                                            table.source,
                                            std::to_string(range.first),
                                            std::to_string(result.stored.rows),
                                            signed_text(result.stored.low),
                                            signed_text(result.stored.high),
                                            std::to_string(result.rejected),
                                            std::to_string(result.nulled)};
  session.change(
      "INSERT INTO nerve_convert.range (target_schema, source_table, first_rowid, rows, digest_low, "
      "digest_high, rejected, nulled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      parameters);
}

void Ledger::add_step(postgresql::Session& session, const std::string& step,
                      const std::string& refusal) const {
  const std::array<Parameter, 3> parameters{identity_.schema, step, refusal};
  session.change("INSERT INTO nerve_convert.step (target_schema, step, refusal) VALUES ($1, $2, $3)",
                 parameters);
}

void Ledger::add_rejects(postgresql::Session& session, const std::vector<std::string>& lines) const {
  for (const std::string& line : lines) {
    const std::array<Parameter, 2> parameters{identity_.schema, line};
    session.change("INSERT INTO nerve_convert.reject (target_schema, line) VALUES ($1, $2)", parameters);
  }
}

Ledger::DoneRanges Ledger::done_ranges(postgresql::Session& session) const {
  DoneRanges ranges;
  const std::array<Parameter, 1> parameters{identity_.schema};
  session.each(
      "SELECT source_table, first_rowid, rows, digest_low, digest_high, rejected, nulled "
      "FROM nerve_convert.range WHERE target_schema = $1",
      parameters, [&](const postgresql::Row& row) {
        RangeResult& result = ranges[{std::string(row.text(0).value_or("")), number(row, 1)}];
        result.stored = {.rows = number(row, 2),
                         .low = static_cast<std::uint64_t>(number(row, 3)),
                         .high = static_cast<std::uint64_t>(number(row, 4))};
        result.rejected = number(row, 5);
        result.nulled = number(row, 6);
      });
  return ranges;
}

Ledger::DoneSteps Ledger::done_steps(postgresql::Session& session) const {
  DoneSteps steps;
  const std::array<Parameter, 1> parameters{identity_.schema};
  session.each(
      "SELECT step, refusal FROM nerve_convert.step WHERE target_schema = $1", parameters,
      [&](const postgresql::Row& row) { steps.emplace(row.text(0).value_or(""), row.text(1).value_or("")); });
  return steps;
}

void Ledger::each_reject(postgresql::Session& session,
                         const std::function<void(std::string_view)>& on_line) const {
  // A page at a time, for there may be more of them than memory holds.
  std::string last = "0";
  for (bool is_any = true; is_any;) {
    is_any = false;
    const std::array<Parameter, 3> parameters{identity_.schema, last, std::to_string(rejects_page)};
    session.each(
        "SELECT number, line FROM nerve_convert.reject WHERE target_schema = $1 AND number > $2::bigint "
        "ORDER BY number LIMIT $3::bigint",
        parameters, [&](const postgresql::Row& row) {
          last = row.text(0).value_or("");
          on_line(row.text(1).value_or(""));
          is_any = true;
        });
  }
}

}  // namespace nerve::convert
