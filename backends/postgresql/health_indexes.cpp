// SPDX-License-Identifier: Apache-2.0
#include "postgresql/health_checks.h"

#include "nerve/core/text.h"
#include "nerve/db/transaction.h"

#include <fmt/format.h>

#include <map>
#include <string>

/// Checks of indexes that are missing, broken or superfluous.
namespace nerve::postgresql {

using health::Check;

namespace {

/// An index of a partition that belongs to one of the partitioned table cannot be dropped by itself.
constexpr std::string_view is_not_inherited =
    " NOT EXISTS (SELECT 1 FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid)";
constexpr std::string_view keeps_no_constraint =
    " NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)";

/// How long the server has counted the uses of indexes. The figures outlive a restart in good order, but not
/// a crash, so without a reset only the time since the start is sure.
double statistics_age_seconds(db::Transaction& transaction) {
  return transaction.one<double>(
      "SELECT CAST(extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time()))"
      " AS double precision) FROM pg_stat_database WHERE datname = current_database()");
}

std::vector<Finding> find_unused(db::Transaction& transaction, const HealthOptions& options) {
  std::vector<Finding> findings;
  transaction.each<std::string, std::string, std::uint64_t>(
      // One that helps a foreign key has its use when a parent is deleted, which may not have happened yet.
      "SELECT format('%I.%I', s.schemaname, s.indexrelname), format('%I.%I', s.schemaname, s.relname),"
      " pg_relation_size(s.indexrelid)"
      " FROM pg_stat_user_indexes AS s JOIN pg_index AS i ON i.indexrelid = s.indexrelid"
      " WHERE s.idx_scan = 0 AND NOT i.indisunique AND i.indisvalid AND NOT i.indisreplident"
      " AND pg_relation_size(s.indexrelid) >= :bytes_min AND" +
          std::string(keeps_no_constraint) + " AND" + std::string(is_not_inherited) +
          " AND NOT EXISTS (SELECT 1 FROM pg_constraint AS f,"
          " unnest(CAST(i.indkey AS _int2)) WITH ORDINALITY AS part(attnum, place)"
          " WHERE f.contype = 'f' AND f.conrelid = i.indrelid AND part.place = 1"
          " AND part.attnum = ANY (f.conkey))"
          " ORDER BY 3 DESC, 1 LIMIT :objects_max",
      {{"bytes_min", options.unused_index_bytes_min}, {"objects_max", objects_max}},
      [&](const std::string& index, const std::string& table, std::uint64_t size_bytes) {
        findings.push_back({fmt::format("{} of {} ({})", index, table, format_size(size_bytes)),
                            "DROP INDEX CONCURRENTLY " + index});
      });
  return findings;
}

}  // namespace

Check check_invalid_indexes(const HealthInput& input) {
  std::vector<Finding> findings;
  input.database.read([&](db::Transaction& transaction) {
    findings.clear();
    transaction.each<std::string, std::string, bool>(
        // What a failed build of a unique index met is still there, and what a failed REINDEX left has a good
        // one beside it: neither is mended by building it once more.
        "SELECT format('%I.%I', n.nspname, c.relname), format('%I', t.relname),"
        " i.indisunique OR c.relname LIKE '%\\_ccnew%' OR c.relname LIKE '%\\_ccold%'"
        " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
        " JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE NOT i.indisvalid AND c.relkind = 'i' AND " +
            is_user_schema("n.nspname") +
            " AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.index_relid = c.oid)"
            " ORDER BY 1 LIMIT :objects_max",
        {{"objects_max", objects_max}},
        [&](const std::string& index, const std::string& table, bool is_to_be_dropped) {
          findings.push_back(
              {fmt::format("{} of {}", index, table),
               (is_to_be_dropped ? "DROP INDEX CONCURRENTLY " : "REINDEX INDEX CONCURRENTLY ") + index});
        });
  });
  return finding_check(input,
                       {.id = "postgresql.invalid_indexes",
                        .what = "invalid",
                        .threshold = "none",
                        .none = "every index can be used",
                        .some = "indexes that no search uses, though each write pays for them; after a drop "
                                "remove what made them fail and create them again"},
                       findings);
}

Check check_unused_indexes(const HealthInput& input) {
  double age_seconds = 0;
  std::vector<Finding> findings;
  input.database.read([&](db::Transaction& transaction) {
    age_seconds = statistics_age_seconds(transaction);
    findings = find_unused(transaction, input.options);
  });
  const double wanted_seconds = std::chrono::duration<double>(input.options.unused_index_after).count();
  const std::string since = "the server counts since " + describe_seconds(age_seconds);
  const std::string none = age_seconds < wanted_seconds
                               ? since + ", too short a time to judge"
                               : "every large index was used since the server counts";
  const std::string some = "no search ever used these, on this server (" + since + ")";
  if (age_seconds < wanted_seconds) findings.clear();
  const std::string threshold =
      fmt::format("none of {} or more, after {} d",
                  format_size(static_cast<std::uint64_t>(input.options.unused_index_bytes_min)),
                  input.options.unused_index_after.count() / 24);
  return finding_check(input,
                       {.id = "postgresql.unused_indexes",
                        .what = "unused",
                        .threshold = threshold,
                        .none = none,
                        .some = some},
                       findings);
}

Check check_duplicate_indexes(const HealthInput& input) {
  std::map<std::string, std::string> duplicates;  // each index once, with one that can stand in for it
  input.database.read([&](db::Transaction& transaction) {
    duplicates.clear();
    transaction.each<std::string, std::string>(
        "SELECT format('%I.%I', n.nspname, c.relname), format('%I.%I', n.nspname, d.relname)"
        " FROM pg_index AS i JOIN pg_index AS j ON j.indrelid = i.indrelid AND j.indexrelid <> i.indexrelid"
        " JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS d ON d.oid = j.indexrelid"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relam = d.relam AND CAST(i.indkey AS text) = CAST(j.indkey AS text)"
        " AND i.indnkeyatts = j.indnkeyatts AND CAST(i.indclass AS text) = CAST(j.indclass AS text)"
        " AND CAST(i.indcollation AS text) = CAST(j.indcollation AS text)"
        " AND CAST(i.indoption AS text) = CAST(j.indoption AS text)"
        " AND coalesce(pg_get_expr(i.indexprs, i.indrelid), '') = coalesce(pg_get_expr(j.indexprs, "
        "j.indrelid), '')"
        " AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') = coalesce(pg_get_expr(j.indpred, "
        "j.indrelid), '')"
        " AND i.indisvalid AND j.indisvalid AND NOT i.indisreplident AND i.indisunique <= j.indisunique"
        " AND " +
            is_user_schema("n.nspname") + " AND" + std::string(keeps_no_constraint) + " AND" +
            std::string(is_not_inherited) +
            // Of two that could both go, the later one by name does.
            " AND (i.indisunique < j.indisunique OR c.relname > d.relname"
            " OR EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = j.indexrelid))"
            " ORDER BY 1, 2 LIMIT :objects_max",
        {{"objects_max", objects_max}},
        [&](const std::string& index, const std::string& other) { duplicates.emplace(index, other); });
  });
  std::vector<Finding> findings;
  findings.reserve(duplicates.size());
  for (const auto& [index, other] : duplicates) {
    findings.push_back(
        {fmt::format("{} is the same as {}", index, other), "DROP INDEX CONCURRENTLY " + index});
  }
  return finding_check(input,
                       {.id = "postgresql.duplicate_indexes",
                        .what = "duplicates",
                        .threshold = "none",
                        .none = "no index is there twice",
                        .some = "each write pays for these twice"},
                       findings);
}

Check check_foreign_key_indexes(const HealthInput& input) {
  std::vector<Finding> findings;
  input.database.read([&](db::Transaction& transaction) {
    findings.clear();
    transaction.each<std::string, std::string, bool>(
        "SELECT format('%I.%I', n.nspname, t.relname), string_agg(DISTINCT columns.list, ''), t.relkind = 'p'"
        " FROM pg_constraint AS f JOIN pg_class AS t ON t.oid = f.conrelid"
        " JOIN pg_namespace AS n ON n.oid = t.relnamespace"
        " CROSS JOIN LATERAL (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY key.place) AS list,"
        " max(quote_ident(a.attname)) AS one FROM unnest(f.conkey) WITH ORDINALITY AS key(attnum, place)"
        " JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = key.attnum) AS columns"
        " WHERE f.contype = 'f' AND f.conparentid = 0 AND " +
            is_user_schema("n.nspname") +
            " AND NOT EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = f.conrelid AND i.indisvalid"
            " AND (i.indpred IS NULL OR (cardinality(f.conkey) = 1"
            " AND pg_get_expr(i.indpred, i.indrelid) = '(' || columns.one || ' IS NOT NULL)'))"
            " AND (SELECT count(*) FROM unnest(CAST(i.indkey AS _int2)) WITH ORDINALITY AS part(attnum, "
            "place)"
            " WHERE part.place <= cardinality(f.conkey) AND part.attnum = ANY (f.conkey)) = "
            "cardinality(f.conkey))"
            " GROUP BY n.nspname, t.relname, t.relkind, f.conkey"
            " ORDER BY 1, 2 LIMIT :objects_max",
        {{"objects_max", objects_max}},
        [&](const std::string& table, const std::string& columns, bool is_partitioned) {
          findings.push_back({fmt::format("{}({})", table, columns),
                              fmt::format("CREATE INDEX {}ON {}({})", is_partitioned ? "" : "CONCURRENTLY ",
                                          table, columns)});
        });
  });
  return finding_check(input,
                       {.id = "postgresql.foreign_key_indexes",
                        .what = "without index",
                        .threshold = "none",
                        .none = "an index begins with the columns of each foreign key",
                        .some = "no index helps to find the rows that refer to a parent"},
                       findings);
}

}  // namespace nerve::postgresql
