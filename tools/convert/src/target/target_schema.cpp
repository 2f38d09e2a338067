// SPDX-License-Identifier: Apache-2.0
#include "target/target_schema.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

#include <array>

namespace nerve::convert {
namespace {

using Parameter = postgresql::Session::Parameter;

/// Infinity as a numeric came with 14, which is also the oldest one that is still maintained.
constexpr int version_min = 140'000;

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

void require_supported_server(const postgresql::Session& session) {
  if (session.server_version() >= version_min) return;
  throw UnsupportedError(
      fmt::format("{} is PostgreSQL {}", session.name(), session.server_version() / 10'000),
      "Convert into PostgreSQL 14 or later.");
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

void create_schema(postgresql::Session& session, const std::string& schema) {
  const std::array<Parameter, 1> parameters{schema};
  // CREATE SCHEMA IF NOT EXISTS asks for the right to make one even where it is there.
  if (session.text("SELECT oid::text FROM pg_namespace WHERE nspname = $1", parameters)) return;
  session.execute("CREATE SCHEMA " + postgresql::quote_identifier(schema));
}

void drop_relations(postgresql::Session& session, const std::string& schema) {
  std::vector<std::string> statements;
  const std::array<Parameter, 1> parameters{schema};
  session.each(std::string("SELECT format('DROP %s IF EXISTS %I.%I CASCADE', upper(") + kind_name +
                   "), n.nspname, c.relname)" + own_relations,
               parameters,
               [&](const postgresql::Row& row) { statements.emplace_back(row.text(0).value_or("")); });
  for (const std::string& statement : statements) session.execute(statement);
}

}  // namespace nerve::convert
