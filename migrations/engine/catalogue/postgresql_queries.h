// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// What PostgreSQL's catalogue is asked. Every object is named by one number, of its catalogue and its oid,
/// since oids are unique within a catalogue only; `:schema` is the oid of the schema. What belongs to an
/// extension is left out.
///
/// They run with the search_path of the transaction, by which the server writes names in definitions with or
/// without their schema; so what they call is named with its own, and the operands of an operator have the
/// very types of one of pg_catalog (an oid is compared with '0', not with 0), which comes first on every
/// path. Else whoever may create in the user's schema could put an operator there that fits better, and run
/// code as the reader: tests/cli/search_path_test.cpp sets such traps.
namespace nerve::migrations::postgresql_queries {

inline constexpr std::string_view schema = R"(
SELECT CAST(oid AS bigint), CAST(nspname AS text) FROM pg_catalog.pg_namespace
  WHERE nspname = pg_catalog.current_schema())";

inline constexpr std::string_view extensions = R"(
SELECT CAST(extname AS text) FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY extname)";

// Tables and views.
inline constexpr std::string_view relations = R"(
SELECT CAST(c.tableoid AS bigint) * 4294967296 + CAST(c.oid AS bigint), CAST(c.relname AS text),
       CAST(c.relkind AS text), c.relpersistence = 'u', c.relrowsecurity, c.relforcerowsecurity,
       coalesce(CAST(pg_catalog.to_json(c.reloptions) AS text), CAST('null' AS text)),
       coalesce(CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END, ''),
       coalesce(pg_catalog.pg_get_expr(c.relpartbound, c.oid), ''),
       coalesce((SELECT CAST(pg_catalog.json_agg(p.relname ORDER BY i.inhseqno) AS text) FROM pg_catalog.pg_inherits AS i
                 JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid), CAST('null' AS text)),
       coalesce(CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END, '')
FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = CAST(:schema AS oid) AND c.relkind IN ('r', 'p', 'v', 'm')
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = c.tableoid AND e.objid = c.oid
    AND e.deptype = 'e')
ORDER BY c.relname)";

inline constexpr std::string_view columns = R"(
SELECT CAST(c.tableoid AS bigint) * 4294967296 + CAST(c.oid AS bigint), CAST(a.attname AS text),
       pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
       a.attgenerated = 's', CAST(a.attidentity AS text),
       coalesce(CASE WHEN a.attcollation <> t.typcollation THEN CAST(CAST(a.attcollation AS regcollation) AS text) END, ''),
       coalesce(pg_catalog.array_position(k.conkey, a.attnum), 0)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'p'
WHERE c.relnamespace = CAST(:schema AS oid) AND c.relkind IN ('r', 'p', 'v', 'm')
ORDER BY c.oid, a.attnum)";

// What a partition or child inherits is its parent's.
inline constexpr std::string_view constraints = R"(
SELECT CAST(c.tableoid AS bigint) * 4294967296 + CAST(c.oid AS bigint), CAST(k.conname AS text),
       CAST(k.contype AS text), pg_catalog.pg_get_constraintdef(k.oid),
       coalesce((SELECT CAST(pg_catalog.json_agg(a.attname ORDER BY n.position) AS text)
                 FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS n(number, position)
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.number),
                   CAST('null' AS text)),
       coalesce(CASE WHEN r.relnamespace = c.relnamespace THEN CAST(r.relname AS text)
                     ELSE CAST(CAST(r.oid AS regclass) AS text) END, ''),
       coalesce((SELECT CAST(pg_catalog.json_agg(a.attname ORDER BY n.position) AS text)
                 FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS n(number, position)
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = n.number),
                   CAST('null' AS text)),
       CAST(k.confdeltype AS text), CAST(k.confupdtype AS text)
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
WHERE c.relnamespace = CAST(:schema AS oid) AND k.contype IN ('p', 'u', 'c', 'f', 'x') AND k.conparentid = '0'
  AND k.conislocal
ORDER BY c.oid, CASE k.contype WHEN 'p' THEN 0 WHEN 'u' THEN 1 WHEN 'x' THEN 2 WHEN 'c' THEN 3 ELSE 4 END, k.conname)";

inline constexpr std::string_view indexes = R"(
SELECT CAST(c.tableoid AS bigint) * 4294967296 + CAST(c.oid AS bigint), CAST(c.relname AS text), CAST(t.relname AS text),
       pg_catalog.pg_get_indexdef(c.oid), i.indisunique, i.indpred IS NOT NULL, i.indisvalid
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
WHERE t.relnamespace = CAST(:schema AS oid) AND t.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = c.tableoid AND e.objid = c.oid
    AND e.deptype = 'e'))";

// Those of a table's identity come with their column's number, and are none of their own.
inline constexpr std::string_view sequences = R"(
SELECT CAST(c.tableoid AS bigint) * 4294967296 + CAST(c.oid AS bigint), CAST(c.relname AS text),
       pg_catalog.format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
       coalesce(d.deptype = 'i', false), coalesce(CAST(t.relname AS text), ''), coalesce(CAST(a.attname AS text), '')
FROM pg_catalog.pg_sequence AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = c.tableoid AND d.objid = c.oid AND d.refclassid = c.tableoid
  AND d.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE c.relnamespace = CAST(:schema AS oid)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = c.tableoid AND e.objid = c.oid
    AND e.deptype = 'e'))";

inline constexpr std::string_view functions = R"(
SELECT CAST(p.tableoid AS bigint) * 4294967296 + CAST(p.oid AS bigint), CAST(p.proname AS text),
       pg_catalog.oidvectortypes(p.proargtypes),
       CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) ELSE
         'CREATE AGGREGATE ' || pg_catalog.quote_ident(p.proname) || ' (' ||
           pg_catalog.pg_get_function_arguments(p.oid) || ') (SFUNC = ' ||
         CAST(g.aggtransfn AS text) || ', STYPE = ' || pg_catalog.format_type(g.aggtranstype, NULL) ||
         CASE WHEN CAST(g.aggfinalfn AS oid) <> '0' THEN ', FINALFUNC = ' || CAST(g.aggfinalfn AS text) ELSE '' END ||
         CASE WHEN CAST(g.aggcombinefn AS oid) <> '0' THEN ', COMBINEFUNC = ' || CAST(g.aggcombinefn AS text) ELSE '' END ||
         coalesce(', INITCOND = ' || pg_catalog.quote_literal(g.agginitval), '') || ')' END
FROM pg_catalog.pg_proc AS p
LEFT JOIN pg_catalog.pg_aggregate AS g ON CAST(g.aggfnoid AS oid) = p.oid
WHERE p.pronamespace = CAST(:schema AS oid)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = p.tableoid AND e.objid = p.oid
    AND e.deptype = 'e'))";

inline constexpr std::string_view types = R"(
SELECT CAST(t.tableoid AS bigint) * 4294967296 + CAST(t.oid AS bigint), CAST(t.typname AS text),
       CASE t.typtype
         WHEN 'e' THEN 'CREATE TYPE ' || pg_catalog.quote_ident(t.typname) || ' AS ENUM (' ||
           coalesce((SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                     FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid), '') || ')'
         WHEN 'd' THEN 'CREATE DOMAIN ' || pg_catalog.quote_ident(t.typname) || ' AS ' ||
           pg_catalog.format_type(t.typbasetype, t.typtypmod) ||
           coalesce(' DEFAULT ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END ||
           coalesce((SELECT pg_catalog.string_agg(' CONSTRAINT ' || pg_catalog.quote_ident(k.conname) || ' ' ||
             pg_catalog.pg_get_constraintdef(k.oid), ''
                                       ORDER BY k.conname)
                     FROM pg_catalog.pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c'), '')
         WHEN 'r' THEN 'CREATE TYPE ' || pg_catalog.quote_ident(t.typname) || ' AS RANGE (SUBTYPE = ' ||
           (SELECT pg_catalog.format_type(r.rngsubtype, NULL) FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid) || ')'
         ELSE 'CREATE TYPE ' || pg_catalog.quote_ident(t.typname) || ' AS (' ||
           coalesce((SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' ' ||
             pg_catalog.format_type(a.atttypid, a.atttypmod), ', '
                                       ORDER BY a.attnum)
                     FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0
                       AND NOT a.attisdropped), '') ||
           ')' END
FROM pg_catalog.pg_type AS t
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
WHERE t.typnamespace = CAST(:schema AS oid) AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.classid = t.tableoid AND e.objid = t.oid
    AND e.deptype = 'e'))";

// Those of partitions are copies of their parent's.
inline constexpr std::string_view triggers = R"(
SELECT CAST(g.tableoid AS bigint) * 4294967296 + CAST(g.oid AS bigint), CAST(g.tgname AS text), CAST(c.relname AS text),
       pg_catalog.pg_get_triggerdef(g.oid), CAST(g.tgenabled AS text)
FROM pg_catalog.pg_trigger AS g
JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
WHERE c.relnamespace = CAST(:schema AS oid) AND NOT g.tgisinternal AND g.tgparentid = '0')";

inline constexpr std::string_view policies = R"(
SELECT CAST(p.tableoid AS bigint) * 4294967296 + CAST(p.oid AS bigint), CAST(p.polname AS text), CAST(c.relname AS text),
       'CREATE POLICY ' || pg_catalog.quote_ident(p.polname) || ' ON ' || pg_catalog.quote_ident(c.relname) ||
       CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END || ' FOR ' ||
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                     ELSE 'ALL' END || ' TO ' ||
       (SELECT pg_catalog.string_agg(coalesce(pg_catalog.quote_ident(a.rolname), 'PUBLIC'), ', ' ORDER BY a.rolname)
        FROM pg_catalog.unnest(p.polroles) AS r(id) LEFT JOIN pg_catalog.pg_roles AS a ON a.oid = r.id) ||
       coalesce(' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', '') ||
       coalesce(' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
FROM pg_catalog.pg_policy AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
WHERE c.relnamespace = CAST(:schema AS oid))";

inline constexpr std::string_view rules = R"(
SELECT CAST(r.tableoid AS bigint) * 4294967296 + CAST(r.oid AS bigint), CAST(r.rulename AS text), CAST(c.relname AS text),
       pg_catalog.pg_get_ruledef(r.oid)
FROM pg_catalog.pg_rewrite AS r
JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
WHERE c.relnamespace = CAST(:schema AS oid) AND r.rulename <> '_RETURN')";

inline constexpr std::string_view statistics = R"(
SELECT CAST(s.tableoid AS bigint) * 4294967296 + CAST(s.oid AS bigint), CAST(s.stxname AS text), CAST(c.relname AS text),
       pg_catalog.pg_get_statisticsobjdef(s.oid)
FROM pg_catalog.pg_statistic_ext AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.stxrelid
WHERE s.stxnamespace = CAST(:schema AS oid))";

// What refers to a part of an object (a column's default, a view's query, a table's row type) refers to the
// object. Foreign keys are left out: they can be added when all tables are there.
inline constexpr std::string_view dependencies = R"(
WITH part AS (
  SELECT d.tableoid AS class, d.oid AS id, CAST(CAST('pg_class' AS regclass) AS oid) AS owner_class, d.adrelid AS owner
  FROM pg_catalog.pg_attrdef AS d
  UNION ALL
  SELECT k.tableoid, k.oid, CAST('pg_class' AS regclass), k.conrelid
  FROM pg_catalog.pg_constraint AS k WHERE k.conrelid <> '0' AND k.contype <> 'f'
  UNION ALL
  SELECT k.tableoid, k.oid, CAST('pg_type' AS regclass), k.contypid FROM pg_catalog.pg_constraint AS k
    WHERE k.contypid <> '0'
  UNION ALL
  SELECT r.tableoid, r.oid, CAST('pg_class' AS regclass), r.ev_class FROM pg_catalog.pg_rewrite AS r
    WHERE r.rulename = '_RETURN'
  UNION ALL
  SELECT t.tableoid, t.oid, CAST('pg_class' AS regclass), t.typrelid
  FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid AND c.relkind <> 'c'
  UNION ALL
  SELECT c.tableoid, c.oid, CAST('pg_type' AS regclass), c.reltype FROM pg_catalog.pg_class AS c WHERE c.relkind = 'c'
  UNION ALL
  SELECT t.tableoid, t.oid, t.tableoid, t.typelem FROM pg_catalog.pg_type AS t WHERE t.typelem <> '0' AND t.typlen = -1)
SELECT DISTINCT
  CAST(coalesce(p.owner_class, d.classid) AS bigint) * 4294967296 + CAST(coalesce(p.owner, d.objid) AS bigint),
  CAST(coalesce(r.owner_class, d.refclassid) AS bigint) * 4294967296 + CAST(coalesce(r.owner, d.refobjid) AS bigint)
FROM pg_catalog.pg_depend AS d
LEFT JOIN part AS p ON p.class = d.classid AND p.id = d.objid
LEFT JOIN part AS r ON r.class = d.refclassid AND r.id = d.refobjid
WHERE d.deptype IN ('n', 'a') AND CAST(d.objid AS bigint) >= 16384 AND CAST(d.refobjid AS bigint) >= 16384)";

}  // namespace nerve::migrations::postgresql_queries
