// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/roles.h"

#include "nerve/db/identifier.h"
#include "nerve/migrations/ledger.h"

#include <fmt/format.h>

#include <vector>

namespace nerve::workspace {

namespace {

// {0} owner, {1} application, {2} auditor, {3} the database's name in quotes, {4} the store.
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

-- Nobody comes in who is not named here.
REVOKE ALL ON DATABASE {3} FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {3} TO {0};
-- The application loads rows through a temporary table where row-level security holds, since COPY is refused there.
GRANT CONNECT, TEMPORARY ON DATABASE {3} TO {1};
GRANT CONNECT ON DATABASE {3} TO {2};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO {0};
GRANT USAGE ON SCHEMA public TO {1}, {2};

-- The owner migrates, so all that is there is the owner's, except what an extension brought.
DO $$
DECLARE
  object record;
BEGIN
  FOR object IN
    SELECT format('TABLE %I.%I', 'public', relname) AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
      AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    UNION ALL
    SELECT format('ROUTINE %s', oid::regprocedure) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
  LOOP
    EXECUTE format('ALTER %s OWNER TO {0}', object.name);
  END LOOP;
END
$$;

-- Exactly what follows, and nothing that was granted before.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {1}, {2};
)";

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
  std::string sql = fmt::format(fmt::runtime(roles_and_database), prefix + "owner", application, auditor,
                                db::quote_name(database), to_string(store));
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
