// SPDX-License-Identifier: Apache-2.0
#include "target/target_schema.h"

#include "plan/names.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace nerve::convert {
namespace {

using Parameter = postgresql::Session::Parameter;

/// Infinity as a numeric came with 14, which is also the oldest one that is still maintained.
constexpr int version_min = 140'000;
constexpr std::int64_t bytes_in_kib = 1024;
constexpr std::int64_t cached_sort_kib = std::int64_t{16} * 1024;
/// With 16 MB the server merges about 60 sorted parts at once; what an index sorts is less than its table.
constexpr std::int64_t parts_merged_max = 40;

// A sequence of an identity column goes with its table.
constexpr const char* own_relations = R"(
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype IN ('e', 'i', 'a'))
ORDER BY c.relname)";

constexpr const char* kind_name = R"(CASE c.relkind
  WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence'
  ELSE 'table' END)";

}  // namespace

postgresql::Session connect_target(const std::string& url, const OpenOptions& options) {
  postgresql::Session session(url, options);
  // What is asked of the catalogues must not find functions and operators that others made.
  session.execute(
      "SELECT pg_catalog.set_config('nerve.own_path', pg_catalog.current_setting('search_path'), false), "
      "pg_catalog.set_config('search_path', '', false)");
  // To compile a query that reads a table once takes longer than it saves. A run that goes on after a kill
  // would else wait for an index that the killed one had asked for. Other systems cannot tell that a client
  // is gone, and refuse the setting.
  session.execute(
      "SELECT set_config('jit', 'off', false), CASE WHEN version() LIKE '%linux%' AND "
      "current_setting('server_version_num')::int >= 140000 THEN "
      "set_config('client_connection_check_interval', '2s', false) END");
  return session;
}

void use_own_path(postgresql::Session& session) {
  session.execute("SELECT set_config('search_path', current_setting('nerve.own_path'), true)");
}

void use_server_path(postgresql::Session& session) {
  session.execute("SET LOCAL search_path = ''");
}

void use_one_process(postgresql::Session& session) {
  session.execute("SET max_parallel_maintenance_workers = 0; SET max_parallel_workers_per_gather = 0");
}

void use_all_processes(postgresql::Session& session) {
  session.execute("RESET max_parallel_maintenance_workers; RESET max_parallel_workers_per_gather");
}

void sort_in_cache(postgresql::Session& session, std::int64_t table_bytes) {
  const std::array<Parameter, 1> parameters{
      std::to_string(std::max(cached_sort_kib, table_bytes / bytes_in_kib / parts_merged_max))};
  session.text(
      "SELECT set_config('maintenance_work_mem', least(pg_size_bytes(current_setting("
      "'maintenance_work_mem')) / 1024, $1::bigint)::text, false)",
      parameters);
}

void sort_in_memory(postgresql::Session& session) {
  session.execute("RESET maintenance_work_mem");
}

void require_supported_server(postgresql::Session& session) {
  if (session.server_version() < version_min) {
    throw UnsupportedError(
        fmt::format("{} is PostgreSQL {}", session.name(), session.server_version() / 10'000),
        fmt::format("Convert into PostgreSQL {} or later.", version_min / 10'000));
  }
  // Others have no room for every character, or cut text in the middle of one.
  const std::string encoding = session.text("SHOW server_encoding").value_or("");
  if (encoding != "UTF8") {
    throw UnsupportedError(
        session.name() + " keeps text as " + encoding,
        "Convert into a database of UTF-8: createdb --encoding=UTF8 --template=template0 NAME.");
  }
  if (session.text("SELECT pg_is_in_recovery()") == "t") {
    throw DeniedError(session.name() + " is a standby, which only reads",
                      "Convert into the server that it follows.");
  }
  if (session.text("SHOW transaction_read_only") == "on") {
    throw DeniedError(session.name() + " only reads: default_transaction_read_only is on",
                      "Turn it off for this user: ALTER ROLE … SET default_transaction_read_only = off.");
  }
}

void require_schema_name(const std::string& schema) {
  if (schema.empty() || schema.size() > name_bytes_max) {
    throw ValidationError(
        fmt::format("a schema's name is of 1 to {} bytes; this one is of {}", name_bytes_max, schema.size()),
        "Choose another one with --schema NAME.");
  }
  if (schema.starts_with("pg_") || schema == "information_schema") {
    throw ValidationError("schema " + schema + " is the server's own",
                          "Convert into another schema with --schema NAME.");
  }
}

std::vector<std::string> relations_of(postgresql::Session& session, const std::string& schema,
                                      std::size_t count_max) {
  std::vector<std::string> relations;
  const std::array<Parameter, 2> parameters{schema, std::to_string(count_max)};
  session.each(
      std::string("SELECT ") + kind_name + " || ' ' || c.relname" + own_relations + " LIMIT $2::bigint",
      parameters, [&](const postgresql::Row& row) { relations.emplace_back(row.text(0).value_or("")); });
  return relations;
}

void require_planned_tables(postgresql::Session& session, const Plan& plan) {
  std::vector<std::string> missing;
  for (const TablePlan& table : plan.tables) {
    const std::array<Parameter, 2> parameters{plan.schema, table.target};
    std::set<std::string> columns;
    session.each(
        "SELECT a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped",
        parameters, [&](const postgresql::Row& row) { columns.emplace(row.text(0).value_or("")); });
    if (columns.empty()) {
      missing.push_back("table " + table.target);
      continue;
    }
    for (const ColumnPlan& column : table.columns) {
      if (!columns.contains(column.target))
        missing.push_back("column " + column.target + " of " + table.target);
    }
  }
  if (missing.empty()) return;
  throw NotFoundError(
      fmt::format("schema {} of {} lacks {}", plan.schema, session.name(), fmt::join(missing, ", ")),
      "Name schema, case and rules as in the conversion (--schema, --keep-case, --rules), or convert "
      "again.");
}

void create_schema(postgresql::Session& session, const std::string& schema) {
  const std::array<Parameter, 1> parameters{schema};
  session.require_trusted_schema(schema);
  // CREATE SCHEMA IF NOT EXISTS asks for the right to make one even where it is there.
  if (session.text("SELECT oid::text FROM pg_namespace WHERE nspname = $1", parameters)) return;
  session.execute("CREATE SCHEMA " + postgresql::quote_identifier(schema));
}

namespace {

/// What stands outside a schema, and its functions, by what identifies it and as people read it.
constexpr const char* bystanders = R"(
SELECT o.classid::text || '.' || o.objid::text, pg_describe_object(o.classid, o.objid, 0)
FROM (SELECT 'pg_class'::regclass::oid, c.oid, c.relnamespace FROM pg_class c WHERE c.relkind IN ('r','p','v','m','f')
        AND c.relnamespace <> $1::oid
      UNION ALL
      SELECT 'pg_constraint'::regclass::oid, c.oid, c.connamespace FROM pg_constraint c WHERE c.connamespace <> $1::oid
      UNION ALL
      SELECT 'pg_proc'::regclass::oid, p.oid, p.pronamespace FROM pg_proc p) AS o(classid, objid, namespace)
JOIN pg_namespace n ON n.oid = o.namespace
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'nerve_convert'))";

std::map<std::string, std::string> find_bystanders(postgresql::Session& session, const std::string& schema) {
  std::map<std::string, std::string> found;
  const std::array<Parameter, 1> name{schema};
  const std::array<Parameter, 1> parameters{
      session.text("SELECT oid::text FROM pg_namespace WHERE nspname = $1", name).value_or("0")};
  session.each(bystanders, parameters, [&](const postgresql::Row& row) {
    found.emplace(row.text(0).value_or(""), row.text(1).value_or(""));
  });
  return found;
}

}  // namespace

void drop_relations(postgresql::Session& session, const std::string& schema) {
  const std::map<std::string, std::string> before = find_bystanders(session, schema);
  std::vector<std::string> statements;
  const std::array<Parameter, 1> parameters{schema};
  session.each(std::string("SELECT format('DROP %s IF EXISTS %I.%I CASCADE', upper(") + kind_name +
                   "), n.nspname, c.relname)" + own_relations,
               parameters,
               [&](const postgresql::Row& row) { statements.emplace_back(row.text(0).value_or("")); });
  for (const std::string& statement : statements) session.execute(statement);
  const std::map<std::string, std::string> after = find_bystanders(session, schema);
  std::vector<std::string> fallen;
  for (const auto& [id, name] : before) {
    if (!after.contains(id)) fallen.push_back(name);
  }
  if (fallen.empty()) return;
  throw ConflictError(
      fmt::format("what stands in schema {} is used elsewhere, by {}", schema, fmt::join(fallen, ", ")),
      "Nothing was dropped. Drop these first if they are not needed, or convert into another schema "
      "with --schema NAME.");
}

}  // namespace nerve::convert
