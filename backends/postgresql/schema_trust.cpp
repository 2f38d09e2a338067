// SPDX-License-Identifier: Apache-2.0
#include "postgresql/schema_trust.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

namespace nerve::backends {

namespace {

// {0} is what the schemas come from, with the columns name and place. An object's class comes first where it
// says most: an operator, then a relation, its function, its row type.
constexpr std::string_view judged_sql = R"(
WITH place AS (
  SELECT n.oid, n.nspname AS name, n.nspowner AS owner, n.nspacl AS acl, p.place
  FROM {0} JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) p.name
  WHERE n.nspname OPERATOR(pg_catalog.<>) CAST('pg_catalog' AS pg_catalog.name)
    AND n.oid OPERATOR(pg_catalog.<>) pg_catalog.pg_my_temp_schema()),
trusted AS (
  SELECT r.oid FROM pg_catalog.pg_roles AS r
  WHERE r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) CURRENT_USER
    OR r.rolname OPERATOR(pg_catalog.=) CAST('pg_database_owner' AS pg_catalog.name)
    OR r.oid OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database AS d
                                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())),
foreign_object AS (
  SELECT o.schema, o.class, o.id, o.owner
  FROM (SELECT c.relnamespace, c.tableoid, c.oid, c.relowner FROM pg_catalog.pg_class AS c
        UNION ALL SELECT t.typnamespace, t.tableoid, t.oid, t.typowner FROM pg_catalog.pg_type AS t
        UNION ALL SELECT f.pronamespace, f.tableoid, f.oid, f.proowner FROM pg_catalog.pg_proc AS f
        UNION ALL SELECT x.oprnamespace, x.tableoid, x.oid, x.oprowner FROM pg_catalog.pg_operator AS x
       ) AS o(schema, class, id, owner)
  WHERE o.schema OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT place.oid FROM place))
    AND o.owner OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT trusted.oid FROM trusted))),
found AS (
  SELECT s.place, s.name, s.name OPERATOR(pg_catalog.=) pg_catalog.current_schema() AS is_current,
    CASE WHEN s.owner OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT trusted.oid FROM trusted))
         THEN pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.owner)) END AS owner,
    (SELECT pg_catalog.string_agg(DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) CAST(0 AS pg_catalog.oid)
              THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, ', ')
     FROM pg_catalog.aclexplode(s.acl) AS a
     WHERE a.privilege_type OPERATOR(pg_catalog.=) CAST('CREATE' AS pg_catalog.text)
       AND a.grantee OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT trusted.oid FROM trusted))) AS creators,
    i.type OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) i.identity AS object,
    pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.owner)) AS object_owner
  FROM place AS s
  LEFT JOIN LATERAL (SELECT f.class, f.id, f.owner FROM foreign_object AS f
                     WHERE f.schema OPERATOR(pg_catalog.=) s.oid ORDER BY f.class DESC, f.id LIMIT 1) AS o ON true
  LEFT JOIN LATERAL pg_catalog.pg_identify_object(o.class, o.id, 0) AS i ON true),
judged AS (
  SELECT f.place, f.name, f.is_current, f.owner, f.creators, f.object, f.object_owner,
    f.owner IS NULL AND f.creators IS NULL AND f.object_owner IS NULL AS is_trusted
  FROM found AS f))";

// j is a row of judged.
constexpr std::string_view trust_columns =
    "COALESCE(pg_catalog.quote_ident(j.name), ''), COALESCE(j.owner, ''), COALESCE(j.creators, ''), "
    "COALESCE(j.object, j.object_owner, ''), COALESCE(j.object_owner, '')";

std::string judged(std::string_view source) {
  return fmt::format(fmt::runtime(judged_sql), source);
}

SchemaTrust read_trust(const PGresult* result, int first_column) {
  const auto column = [&](int number) { return std::string(PQgetvalue(result, 0, first_column + number)); };
  return {.schema = column(0),
          .owner = column(1),
          .creators = column(2),
          .object = column(3),
          .object_owner = column(4)};
}

}  // namespace

void SchemaTrust::require(const std::string& database) const {
  if (is_trusted()) return;
  constexpr std::string_view danger = "what is put there could run as whoever uses the database";
  if (!owner.empty()) {
    throw DeniedError(
        fmt::format("the schema {} of {} is owned by {}: {}", schema, database, owner, danger),
        fmt::format("Look at what is in it, then ALTER SCHEMA {} OWNER TO the owner of the database, or name "
                    "another schema in search_path.",
                    schema));
  }
  if (!creators.empty()) {
    throw DeniedError(
        fmt::format("{} may create in the schema {} of {}: {}", creators, schema, database, danger),
        fmt::format("REVOKE CREATE ON SCHEMA {} FROM {}; then look at what was made there.", schema,
                    creators));
  }
  throw DeniedError(
      fmt::format("the {} in the schema {} of {} is owned by {}: it could run as whoever uses the database",
                  object, schema, database, object_owner),
      "Drop it, or where it is wanted, look at what it does and make it the property of the database's "
      "owner: "
      "ALTER … OWNER TO …");
}

std::string trusted_path_sql(std::string_view columns, std::string_view condition) {
  return judged("pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS p(name, place)") +
         fmt::format(
             R"(,
path AS (
  SELECT COALESCE(pg_catalog.string_agg(pg_catalog.quote_ident(j.name), ', ' ORDER BY j.place)
                  OPERATOR(pg_catalog.||) ', pg_temp', '') AS text
  FROM judged AS j WHERE j.is_current OR j.is_trusted)
SELECT path.text, {}{} FROM path LEFT JOIN judged AS j ON j.is_current WHERE {})",
             trust_columns, columns, condition);
}

std::string_view safe_path_expression() noexcept {
  return "CASE WHEN j.is_trusted IS FALSE THEN 'pg_catalog, pg_temp' ELSE path.text END";
}

TrustedPath read_trusted_path(const PGresult* result) {
  return {.text = PQgetvalue(result, 0, 0), .current = read_trust(result, 1)};
}

std::string schema_trust_sql(std::string_view name) {
  return judged(fmt::format("(SELECT CAST({} AS pg_catalog.name), 1) AS p(name, place)", name)) +
         fmt::format("\nSELECT {} FROM judged AS j", trust_columns);
}

SchemaTrust read_schema_trust(const PGresult* result) {
  return PQntuples(result) == 0 ? SchemaTrust() : read_trust(result, 0);
}

}  // namespace nerve::backends
