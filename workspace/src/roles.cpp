// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/roles.h"

#include "nerve/db/identifier.h"
#include "nerve/migrations/ledger.h"

#include <fmt/format.h>

#include <vector>

namespace nerve::workspace {

namespace {

// {0} owner, {1} application, {2} auditor, {3} the database's name in quotes, {4} the store, {5} the names of
// its tables and views, {6} its functions, both as lists of literals.
constexpr std::string_view roles_and_database =
    R"(-- Roles of the {4} store, for the database {3}: run them there as a superuser, after `nerve-db migrate up`, and again
-- after each later one. They hold no password; set one for each role with psql's \password, or use certificates.
BEGIN;
-- Names without a schema are the server's own, whatever others have put into public.
SET LOCAL search_path = pg_catalog, pg_temp;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['{0}', '{1}', '{2}'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I', name);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', name);
  END LOOP;
END
$$;
ALTER ROLE {2} SET default_transaction_read_only = on;

-- The owner migrates, so the store's tables, views and functions are the owner's. What somebody else owns is left to the
-- last step: handed over by its name alone, it would be code of others that runs with the owner's rights.
DO $$
DECLARE
  object record;
BEGIN
  FOR object IN
    WITH trusted AS (
      SELECT oid FROM pg_roles WHERE rolsuper OR rolname = '{0}'
      UNION SELECT datdba FROM pg_database WHERE datname = current_database())
    SELECT format('TABLE public.%I', relname) AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relname IN ({5})
      AND relowner IN (SELECT oid FROM trusted)
    UNION ALL
    SELECT format('FUNCTION %s', oid::regprocedure) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND oid::regprocedure::text IN ({6})
      AND proowner IN (SELECT oid FROM trusted)
  LOOP
    EXECUTE format('ALTER %s OWNER TO {0}', object.name);
  END LOOP;
END
$$;

-- Whom all others trust with the schema: NERVE looks up names only where nobody but the role itself, superusers and the
-- owner of the database can have put something.
ALTER DATABASE {3} OWNER TO {0};
ALTER SCHEMA public OWNER TO {0};

-- Nobody comes in who is not named here.
REVOKE ALL ON DATABASE {3} FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {3} TO {0};
-- The application loads rows through a temporary table where row-level security holds, since COPY is refused there.
GRANT CONNECT, TEMPORARY ON DATABASE {3} TO {1};
GRANT CONNECT ON DATABASE {3} TO {2};
REVOKE ALL ON SCHEMA public FROM PUBLIC, {1}, {2} CASCADE;
DO $$
DECLARE
  third record;
BEGIN
  FOR third IN
    SELECT DISTINCT grantee::regrole AS role FROM pg_namespace CROSS JOIN aclexplode(nspacl)
    WHERE nspname = 'public' AND grantee NOT IN (0, nspowner)
  LOOP
    EXECUTE format('REVOKE ALL ON SCHEMA public FROM %s CASCADE', third.role);
  END LOOP;
  FOR third IN
    SELECT DISTINCT grantee::regrole AS role FROM pg_database CROSS JOIN aclexplode(datacl)
    WHERE datname = current_database() AND privilege_type = 'CREATE' AND grantee NOT IN (0, datdba)
  LOOP
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM %s CASCADE', current_database(), third.role);
  END LOOP;
END
$$;
GRANT USAGE, CREATE ON SCHEMA public TO {0};
GRANT USAGE ON SCHEMA public TO {1}, {2};

-- What is there of others could run as whoever uses the store.
DO $$
DECLARE
  others text;
BEGIN
  SELECT string_agg(format('%s %s (of %s)', i.type, i.identity, quote_ident(pg_get_userbyid(o.owner))), ', '
                    ORDER BY i.type, i.identity) INTO others
  FROM (SELECT relnamespace, tableoid, oid, relowner FROM pg_class WHERE relkind NOT IN ('i', 'I')
        UNION ALL SELECT pronamespace, tableoid, oid, proowner FROM pg_proc
        UNION ALL SELECT oprnamespace, tableoid, oid, oprowner FROM pg_operator
        UNION ALL SELECT typnamespace, tableoid, oid, typowner FROM pg_type WHERE typrelid = 0 AND typelem = 0
       ) AS o(schema, class, id, owner)
  CROSS JOIN LATERAL pg_identify_object(o.class, o.id, 0) AS i
  WHERE o.schema = 'public'::regnamespace
    AND o.owner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper OR rolname = '{0}');
  IF others IS NOT NULL THEN
    RAISE EXCEPTION 'the schema public holds what is not the store''s: %', others
      USING HINT = 'Nothing was changed. Drop each, or look at what it does and ALTER ... OWNER TO {0}.';
  END IF;
END
$$;

-- Exactly what follows, and nothing that was granted before.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {1}, {2};
)";

/// What migrations make besides tables and views, as the server writes it when its schema is not on the path.
constexpr std::string_view functions = "'public.nerve_touch()'";

// {0} the auditor, {1} the table, {2} the sealed columns as a list of literals.
constexpr std::string_view unsealed_columns = R"(DO $$
DECLARE
  columns text;
BEGIN
  SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
  WHERE attrelid = 'public.{1}'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ({2});
  EXECUTE format('GRANT SELECT (%s) ON public.{1} TO {0}', columns);
END
$$;
)";

std::string_view rights_of(Writing writing) {
  switch (writing) {
    case Writing::any:
      return "SELECT, INSERT, UPDATE, DELETE";
    case Writing::append_only:
      return "SELECT, INSERT";
    case Writing::none:
      return "SELECT";
  }
  return "SELECT";
}

/// The store's tables and views, as a list of literals.
std::string relation_names(std::span<const Module* const> modules, Store store) {
  std::string names =
      fmt::format("'{}', '{}'", migrations::Ledger::table_default, migrations::Ledger::events_table_default);
  const auto add = [&](std::string_view name) {
    names += fmt::format(", '{}'", db::Identifier(name).name());
  };
  for (const Module* module : modules) {
    if (!is_in(module->placement, store)) continue;
    for (const RecordType* record : module->records) add(record->table());
    for (const std::string_view view : module->views) add(view);
  }
  return names;
}

std::string table_grants(const RecordType& record, std::string_view application, std::string_view auditor) {
  const std::string table = db::Identifier(record.table()).quoted();
  const std::string sql =
      fmt::format("GRANT {} ON public.{} TO {};\n", rights_of(record.facts().writing), table, application);
  const std::vector<std::string_view> sealed = record.columns(&Field::is_sealed);
  if (sealed.empty()) return sql + fmt::format("GRANT SELECT ON public.{} TO {};\n", table, auditor);
  std::string columns;
  for (const std::string_view column : sealed) {
    columns += fmt::format("{}'{}'", columns.empty() ? "" : ", ", db::Identifier(column).name());
  }
  return sql + fmt::format(fmt::runtime(unsealed_columns), auditor, record.table(), columns);
}

}  // namespace

std::string role_statements(std::span<const Module* const> modules, Store store, std::string_view database) {
  const std::string prefix = fmt::format("nerve_{}_", to_string(store));
  const std::string application = prefix + "application";
  const std::string auditor = prefix + "auditor";
  std::string sql =
      fmt::format(fmt::runtime(roles_and_database), prefix + "owner", application, auditor,
                  db::quote_name(database), to_string(store), relation_names(modules, store), functions);
  for (const std::string_view ledger :
       {migrations::Ledger::table_default, migrations::Ledger::events_table_default}) {
    sql += fmt::format("GRANT SELECT ON public.{} TO {}, {};\n", db::Identifier(ledger).quoted(), application,
                       auditor);
  }
  for (const Module* module : modules) {
    if (!is_in(module->placement, store)) continue;
    for (const RecordType* record : module->records) sql += table_grants(*record, application, auditor);
    for (const std::string_view view : module->views) {
      sql += fmt::format("GRANT SELECT ON public.{} TO {}, {};\n", db::Identifier(view).quoted(), application,
                         auditor);
    }
  }
  return sql + "\nCOMMIT;\n";
}

}  // namespace nerve::workspace
