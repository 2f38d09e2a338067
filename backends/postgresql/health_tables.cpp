// SPDX-License-Identifier: Apache-2.0
#include "postgresql/health_checks.h"

#include "nerve/core/error.h"
#include "nerve/core/text.h"
#include "nerve/db/transaction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

/// Checks of what the tables hold, and of the statements that read them.
namespace nerve::postgresql {

using health::Check;
using health::Status;

namespace {

constexpr double sequence_critical_percent = 95.0;
/// Rows of a default partition are counted up to here.
constexpr std::int64_t counted_rows_max = 1'000;

struct Sequence {
  std::string name;
  std::string table;  ///< whose column it fills; empty where it belongs to none
  std::string column;
  bool is_identity = false;
  bool is_readable = false;
  double percent = 0;
};

std::vector<Sequence> find_sequences(const HealthInput& input) {
  std::vector<Sequence> sequences;
  input.database.read([&](db::Transaction& transaction) {
    sequences.clear();
    // A sequence of bigint that fills a column of integer ends where the column ends.
    transaction.each<std::string, std::string, std::string, bool, bool, double>(
        "SELECT format('%I.%I', n.nspname, c.relname),"
        " CASE WHEN t.oid IS NULL OR a.atttypid = 20 THEN '' ELSE format('%I.%I', tn.nspname, t.relname) END,"
        " coalesce(quote_ident(a.attname), ''), coalesce(a.attidentity <> '', false),"
        " has_sequence_privilege(c.oid, 'USAGE,SELECT'),"
        " coalesce(CAST(CASE WHEN s.increment_by > 0 THEN 100.0 * s.last_value / least(s.max_value,"
        " CASE a.atttypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END)"
        " WHEN s.min_value < 0 THEN 100.0 * s.last_value / s.min_value ELSE 0 END AS double precision), 0)"
        " AS percent"
        " FROM pg_sequences AS s JOIN pg_namespace AS n ON n.nspname = s.schemaname"
        " JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.sequencename AND c.relkind = 'S'"
        " LEFT JOIN pg_depend AS d ON d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid"
        " AND d.refclassid = CAST('pg_class' AS regclass) AND d.deptype IN ('a', 'i')"
        " LEFT JOIN pg_class AS t ON t.oid = d.refobjid"
        " LEFT JOIN pg_namespace AS tn ON tn.oid = t.relnamespace"
        " LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
        " WHERE NOT s.cycle AND (NOT has_sequence_privilege(c.oid, 'USAGE,SELECT')"
        " OR s.last_value IS NOT NULL) ORDER BY percent DESC, 1 LIMIT :objects_max",
        {{"objects_max", objects_max}},
        [&](std::string name, std::string table, std::string column, bool is_identity, bool is_readable,
            double percent) {
          sequences.push_back(
              {std::move(name), std::move(table), std::move(column), is_identity, is_readable, percent});
        });
  });
  return sequences;
}

/// The statements that give a sequence, and the column it fills, the room of bigint.
std::vector<std::string> widen(const Sequence& sequence) {
  std::vector<std::string> statements;
  if (!sequence.table.empty()) {
    statements.push_back(
        fmt::format("ALTER TABLE {} ALTER COLUMN {} TYPE bigint", sequence.table, sequence.column));
  }
  if (sequence.table.empty() || !sequence.is_identity) {
    statements.push_back(fmt::format("ALTER SEQUENCE {} AS bigint NO MINVALUE NO MAXVALUE", sequence.name));
  }
  return statements;
}

struct DefaultPartition {
  std::string name;
  std::string parent;
  bool is_readable = false;
};

std::vector<DefaultPartition> find_default_partitions(db::Transaction& transaction) {
  std::vector<DefaultPartition> partitions;
  transaction.each<std::string, std::string, bool>(
      "SELECT format('%I.%I', n.nspname, d.relname), format('%I.%I', tn.nspname, t.relname),"
      " has_table_privilege(d.oid, 'SELECT') FROM pg_partitioned_table AS p"
      " JOIN pg_class AS d ON d.oid = p.partdefid JOIN pg_namespace AS n ON n.oid = d.relnamespace"
      " JOIN pg_class AS t ON t.oid = p.partrelid JOIN pg_namespace AS tn ON tn.oid = t.relnamespace"
      " WHERE d.relkind = 'r' ORDER BY 1 LIMIT :objects_max",
      {{"objects_max", objects_max}}, [&](std::string name, std::string parent, bool is_readable) {
        partitions.push_back({std::move(name), std::move(parent), is_readable});
      });
  return partitions;
}

std::int64_t count_rows(db::Transaction& transaction, const std::string& quoted_table) {
  return transaction.one<std::int64_t>(
      fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT :rows_max) AS counted", quoted_table),
      {{"rows_max", counted_rows_max}});
}

/// The schema that pg_stat_statements is installed in, as an identifier.
std::optional<std::string> statements_schema(db::Transaction& transaction) {
  return transaction.maybe<std::string>(
      "SELECT quote_ident(n.nspname) FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace"
      " WHERE e.extname = 'pg_stat_statements'");
}

/// The text without what it could tell: the server puts $1 in place of values in these statements alone.
std::string shown_text(const std::string& text) {
  constexpr std::size_t width = 60;
  constexpr std::array<std::string_view, 6> without_values = {"select", "insert", "update",
                                                              "delete", "with",   "merge"};
  std::string beginning = text.substr(0, text.find_first_of(" \t\n("));
  std::ranges::transform(beginning, beginning.begin(),
                         [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  const bool is_shown = std::ranges::find(without_values, beginning) != without_values.end();
  std::string line = is_shown ? text : beginning + " …";
  std::ranges::replace(line, '\n', ' ');
  return ellipsize(line, width);
}

std::vector<Finding> find_slow_statements(db::Transaction& transaction, const HealthOptions& options,
                                          const std::string& schema) {
  constexpr std::int64_t statements_max = 10;
  std::vector<Finding> findings;
  transaction.each<std::int64_t, std::int64_t, double, std::string, std::int64_t, std::int64_t>(
      fmt::format("SELECT coalesce(queryid, 0), calls, mean_exec_time, coalesce(query, ''),"
                  " CAST(userid AS bigint), CAST(dbid AS bigint) FROM {}.pg_stat_statements"
                  " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
                  " AND calls >= :calls_min AND mean_exec_time > CAST(:mean_max AS double precision)"
                  " ORDER BY mean_exec_time DESC LIMIT :statements_max",
                  schema),
      {{"calls_min", options.statement_calls_min},
       {"mean_max", static_cast<double>(options.statement_mean_max.count())},
       {"statements_max", statements_max}},
      [&](std::int64_t query_id, std::int64_t calls, double mean_ms, const std::string& text,
          std::int64_t role, std::int64_t database) {
        findings.push_back({fmt::format("{} ({} on average, {} calls)", shown_text(text),
                                        describe_seconds(mean_ms / 1e3), format_count(calls)),
                            fmt::format("SELECT {}.pg_stat_statements_reset({}, {}, {})", schema, role,
                                        database, query_id)});
      });
  return findings;
}

}  // namespace

Check check_sequences(const HealthInput& input) {
  constexpr std::string_view id = "postgresql.sequences";
  const std::vector<Sequence> sequences = find_sequences(input);
  std::vector<std::string> unreadable;
  std::vector<std::string> names;
  std::vector<std::string> statements;
  double worst = 0;
  for (const Sequence& sequence : sequences) {
    if (!sequence.is_readable) unreadable.push_back(sequence.name);
    worst = std::max(worst, sequence.percent);
    if (sequence.percent <= input.options.sequence_max_percent) continue;
    names.push_back(fmt::format("{} ({:.1f} %)", sequence.name, sequence.percent));
    for (std::string& statement : widen(sequence)) statements.push_back(std::move(statement));
  }
  if (names.empty() && !unreadable.empty()) {
    return not_permitted(id, input, fmt::format("SELECT ON SEQUENCE {}", fmt::join(unreadable, ", ")),
                         "how far these sequences are: " + list_names(unreadable));
  }
  Check check{.id = std::string(id),
              .status = Status::ok,
              .value = fmt::format("{:.1f} %", worst),
              .threshold = fmt::format("at most {:g} %", input.options.sequence_max_percent),
              .message = "every sequence has room",
              .fix = {},
              .number = worst,
              .unit = "percent"};
  if (names.empty()) return check;
  check.status = worst > sequence_critical_percent ? Status::critical : Status::warning;
  check.message = "inserts fail when a sequence, or the column it fills, ends: " + list_names(names);
  check.fix = psql_command(input, statements) + "  # a table whose column changes its type is written anew";
  return check;
}

Check check_default_partition_rows(const HealthInput& input) {
  constexpr std::string_view id = "postgresql.default_partition_rows";
  std::vector<Finding> findings;
  std::vector<std::string> unreadable;
  input.database.read([&](db::Transaction& transaction) {
    findings.clear();
    unreadable.clear();
    for (const DefaultPartition& partition : find_default_partitions(transaction)) {
      if (!partition.is_readable) {
        unreadable.push_back(partition.name);
        continue;
      }
      const std::int64_t rows = count_rows(transaction, partition.name);
      if (rows == 0) continue;
      findings.push_back({fmt::format("{} of {} holds {}{}", partition.name, partition.parent,
                                      rows == counted_rows_max ? "at least " : "", format_count(rows)),
                          {}});
    }
  });
  if (findings.empty() && !unreadable.empty()) {
    return not_permitted(id, input, fmt::format("SELECT ON {}", fmt::join(unreadable, ", ")),
                         "the rows of default partitions: " + list_names(unreadable));
  }
  Check check = finding_check(input,
                              {.id = id,
                               .what = "default partitions with rows",
                               .threshold = "none",
                               .none = "every row fits a partition of its own",
                               .some = "rows that fit no other partition keep it from being made"},
                              findings);
  if (check.status != Status::ok) {
    check.fix =
        "In one transaction: detach the default partition, create the partitions its rows belong in, insert "
        "them into the partitioned table again, truncate the default partition and attach it.";
  }
  return check;
}

Check check_slow_statements(const HealthInput& input) {
  constexpr std::string_view id = "postgresql.slow_statements";
  const std::optional<std::string> schema =
      input.database.read([](db::Transaction& transaction) { return statements_schema(transaction); });
  const std::string threshold =
      fmt::format("at most {} ms on average, from {} calls on", input.options.statement_mean_max.count(),
                  input.options.statement_calls_min);
  Wording wording{
      .id = id,
      .what = "slow statements",
      .threshold = threshold,
      .none = "pg_stat_statements is not installed here, so nobody counts how long statements take",
      .some = "statements that take long"};
  if (!schema) return finding_check(input, wording, {});
  if (!input.facts.sees_statistics) return not_permitted(id, input, "pg_monitor", "the statements of others");
  wording.none = "no statement takes long on average";
  std::vector<Finding> findings;
  try {
    findings = input.database.read([&](db::Transaction& transaction) {
      return find_slow_statements(transaction, input.options, *schema);
    });
  } catch (const DatabaseError& error) {
    if (error.code() != "55000") throw;  // object not in prerequisite state: the library is not loaded
    return health::unknown_check(
        id, "pg_stat_statements is created here, but the server does not load its library",
        administrator_command(
            input,
            std::array<std::string, 1>{"ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'"}) +
            "  # keep the libraries that are listed already; then restart the server");
  }
  Check check = finding_check(input, wording, findings);
  if (check.status != Status::ok)
    check.fix += "  # forgets the old figures: first make the statements faster";
  return check;
}

}  // namespace nerve::postgresql
