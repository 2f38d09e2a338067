// SPDX-License-Identifier: Apache-2.0
// Goal: a role that may create in a schema of the path, or owns one, gets nothing of its own run by the
// commands of a superuser. Method: the role mallory plants what each of these commands once ran: a view or
// table in the place of one that the command reads or writes, functions and operators that fit its statements
// better than the server's own. What it plants writes a line into the server's log, and makes mallory a
// superuser. NERVE_DB_BIN names the command.
#include "nerve_db.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace nerve;
using namespace nerve::test;

namespace {

constexpr int denied = 5;
constexpr std::string_view hers_ran = "code of mallory ran";

/// {} is the schema, of which mallory is the owner or in which she may create.
constexpr std::string_view rise_sql = R"(
CREATE FUNCTION {0}.rise() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RAISE LOG 'code of mallory ran';
  BEGIN
    ALTER ROLE mallory SUPERUSER;
  EXCEPTION WHEN OTHERS THEN NULL;
  END;
  RETURN true;
END $$;
CREATE FUNCTION {0}.rise_on_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM {0}.rise();
  RETURN NEW;
END $$;
)";

/// In the place of the table that migrations write down what is applied in.
constexpr std::string_view ledger_columns =
    "version varchar(70), module varchar(63), number bigint, name varchar(100), description text, checksum "
    "varchar(64), checksum_algorithm varchar(20), state text, statements_done bigint, application_number "
    "bigint, "
    "origin text, applied_at timestamptz, applied_by text, duration_us bigint";

/// Functions and operators for varchar, which has none of its own.
constexpr std::string_view varchar_traps_sql = R"(
CREATE FUNCTION {0}.lower(varchar) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN PERFORM {0}.rise(); RETURN pg_catalog.lower(CAST($1 AS text)); END $$;
CREATE FUNCTION {0}.length(varchar) RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN PERFORM {0}.rise(); RETURN pg_catalog.length(CAST($1 AS text)); END $$;
CREATE FUNCTION {0}.same(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN PERFORM {0}.rise(); RETURN CAST($1 AS text) OPERATOR(pg_catalog.=) CAST($2 AS text); END $$;
CREATE OPERATOR {0}.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = {0}.same);
)";

/// For the names of information_schema.
constexpr std::string_view identifier_traps_sql = R"(
DO $do$
DECLARE
  type text;
BEGIN
  FOREACH type IN ARRAY ARRAY['name', 'text', 'varchar', 'information_schema.sql_identifier'] LOOP
    EXECUTE format('CREATE FUNCTION public.same_name(information_schema.sql_identifier, %s) RETURNS boolean '
                   'LANGUAGE plpgsql AS $$ BEGIN RETURN public.rise(); END $$', type);
    EXECUTE format('CREATE OPERATOR public.= (LEFTARG = information_schema.sql_identifier, RIGHTARG = %s, '
                   'FUNCTION = public.same_name)', type);
  END LOOP;
END $do$;
)";

/// A server's database, and mallory, who may create in its schema public.
class Scene {
 public:
  explicit Scene(const std::string& name)
      : name_(name + "_" + std::to_string(++scenes_made)), url_(server_.create_database(name_)) {
    server_.execute(
        "DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; "
        "ALTER ROLE mallory NOSUPERUSER");
    open();
  }

  /// Lets mallory in.
  void open() { execute("GRANT CREATE ON SCHEMA public TO mallory"); }
  /// Keeps her out, as the hint says; what she made stays.
  void close() { execute("REVOKE CREATE ON SCHEMA public FROM mallory"); }
  void execute(const std::string& sql) { server_.execute(sql, name_); }
  /// Only what a later statement of the command's runs: nothing here is run by a superuser.
  void plant(std::string_view sql, std::string_view schema = "public") {
    execute("SET ROLE mallory; " + fmt::format(fmt::runtime(sql), schema));
  }

  ProcessResult run(std::vector<std::string> words, const std::filesystem::path& folder = {}) {
    lines_before_ = count_in_log(server_, hers_ran);
    return nerve_db(std::move(words), {}, folder);
  }
  /// Of the last run.
  bool is_harmless() {
    return count_in_log(server_, hers_ran) == lines_before_ &&
           server_.query_text("SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'") == "f";
  }

  PostgresServer& server() { return server_; }
  const std::string& name() const { return name_; }
  const std::string& url() const { return url_; }

 private:
  static inline int scenes_made = 0;  // each run of a case has databases of its own

  PostgresServer& server_ = PostgresServer::shared();
  std::string name_;
  std::string url_;
  std::size_t lines_before_ = 0;
};

/// It refuses, says why and what to do, and has run nothing of hers.
void check_refusal(Scene& scene, const ProcessResult& result, std::string_view message,
                   std::string_view hint) {
  INFO(result.out, result.err);
  CHECK(result.exit_code == denied);
  CHECK(contains(result.err, message));
  CHECK(contains(result.err, hint));
  CHECK(scene.is_harmless());
}

constexpr std::string_view may_create = "mallory may create in the schema public of ";
constexpr std::string_view revoke_hint = "REVOKE CREATE ON SCHEMA public FROM mallory";

std::string migration_folder(const TempFolder& folder) {
  std::ofstream(folder / "0001_item.sql") << "-- migrate:up\nCREATE TABLE item (id bigint PRIMARY KEY, name "
                                             "varchar(9) CHECK (length(name) > 0));\n"
                                             "-- migrate:down\nDROP TABLE item;\n";
  return folder.path().string();
}

/// A workspace on two databases of the server, which nobody has attacked yet.
std::string make_workspace(Scene& core, Scene& secure, const TempFolder& folder) {
  core.close();
  secure.close();
  const ProcessResult made =
      nerve_db({"init", "space", "--core", core.url(), "--secure", secure.url()}, {}, folder.path());
  REQUIRE_MESSAGE(made.exit_code == 0, made.err);
  return folder / "space";
}

}  // namespace

TEST_CASE("migrate status does not read a view that stands in the place of the ledger") {
  if (PostgresServer::is_waived()) return;
  Scene scene("attack_status");
  const TempFolder folder;
  const std::vector<std::string> status{"migrate",   "status", "--db",
                                        scene.url(), "--dir",  migration_folder(folder)};
  scene.plant(rise_sql);
  scene.plant(
      "CREATE VIEW public.schema_migrations AS SELECT CAST('m/1' AS varchar(70)) AS version, CAST('m' AS "
      "varchar(63)) AS module, 1::bigint AS number, CAST(public.rise() AS text) AS name, '' AS description, "
      "'' AS "
      "checksum, 'sha256' AS checksum_algorithm, 'applied' AS state, 0::bigint AS statements_done, 1::bigint "
      "AS "
      "application_number, 'applied' AS origin, now() AS applied_at, '' AS applied_by, 0::bigint AS "
      "duration_us");
  check_refusal(scene, scene.run(status), may_create, revoke_hint);
  scene.close();
  check_refusal(scene, scene.run(status), "view public.schema_migrations", "Drop it");
  scene.execute("DROP OWNED BY mallory");
  constexpr int pending = 8;
  CHECK(scene.run(status).exit_code == pending);
}

TEST_CASE("migrate up fires no trigger of a ledger that was there before it") {
  if (PostgresServer::is_waived()) return;
  Scene scene("attack_up");
  const TempFolder folder;
  const std::vector<std::string> up{"migrate", "up", "--db", scene.url(), "--dir", migration_folder(folder)};
  scene.plant(rise_sql);
  scene.plant(
      fmt::format("CREATE TABLE public.schema_migrations ({}); CREATE TABLE public.migration_events "
                  "(event_number bigint, "
                  "occurred_at timestamptz, action text, subject text, checksum varchar(64), actor text, "
                  "duration_us bigint, "
                  "detail text); CREATE TRIGGER rise BEFORE INSERT ON public.schema_migrations FOR EACH ROW "
                  "EXECUTE FUNCTION "
                  "public.rise_on_change()",
                  ledger_columns));
  check_refusal(scene, scene.run(up), may_create, revoke_hint);
  scene.close();
  check_refusal(scene, scene.run(up), "table public.schema_migrations", "Drop it");
}

TEST_CASE("init makes no table whose checks call functions of others") {
  if (PostgresServer::is_waived()) return;
  Scene core("attack_init_core");
  Scene secure("attack_init_secure");
  secure.close();
  const TempFolder folder;
  const std::vector<std::string> init{"init", "space", "--core", core.url(), "--secure", secure.url()};
  core.plant(rise_sql);
  core.plant(varchar_traps_sql);
  check_refusal(core, core.run(init, folder.path()), may_create, revoke_hint);
  core.close();
  check_refusal(core, core.run(init, folder.path()), "public.", "Drop it");
  // A function alone makes a database one that is not empty, whoever made it.
  core.execute(
      "DROP OWNED BY mallory; CREATE FUNCTION public.left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const ProcessResult not_empty = core.run(init, folder.path());
  CHECK(not_empty.exit_code == 4);
  CHECK(contains(not_empty.err, "is not empty"));
  core.execute("DROP FUNCTION public.left_over()");
  const ProcessResult made = core.run(init, folder.path());
  CHECK_MESSAGE(made.exit_code == 0, made.err);
  // What the checks of the migrations call is the server's own: nothing of a later guest's is there.
  CHECK(core.server().query_text(
            "SELECT count(*) FROM pg_depend d JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass "
            "AND "
            "d.objid = k.oid WHERE k.contype = 'c' AND d.refclassid IN ('pg_proc'::regclass, "
            "'pg_operator'::regclass)",
            core.name()) == "0");
}

TEST_CASE(
    "commands of a workspace run no operator of others, in their schema or in a later one of the path") {
  if (PostgresServer::is_waived()) return;
  Scene core("attack_use_core");
  Scene secure("attack_use_secure");
  const TempFolder folder;
  const std::string space = make_workspace(core, secure, folder);
  const std::vector<std::vector<std::string>> commands{
      {"status"}, {"tenant", "show", "acme"}, {"tenant", "list"}, {"jobs", "run"}};
  SUBCASE("names of information_schema") {
    core.open();
    core.plant(rise_sql);
    core.plant(identifier_traps_sql);
  }
  SUBCASE("varchar") {
    core.open();
    core.plant(rise_sql);
    core.plant(varchar_traps_sql);
  }
  SUBCASE("a second schema of the path, which she owns") {
    core.execute(
        "CREATE SCHEMA tools AUTHORIZATION mallory; GRANT USAGE ON SCHEMA tools TO PUBLIC; ALTER DATABASE " +
        core.name() + " SET search_path = public, tools");
    core.plant(rise_sql, "tools");
    core.plant(varchar_traps_sql, "tools");
    for (const auto& command : commands) {
      INFO(command.front());
      const ProcessResult result = core.run(command, space);
      // Whom nothing holds is told of the stores, and uses none.
      const bool is_status = command.front() == "status";
      CHECK_MESSAGE(result.exit_code == (is_status ? 0 : denied), result.err);
      CHECK(contains(result.err, "is held by no policy"));
      CHECK(core.is_harmless());
    }
    // The first of the path she cannot take either.
    core.execute("ALTER DATABASE " + core.name() + " SET search_path = tools, public");
    check_refusal(core, core.run(commands.front(), space), "the schema tools of ", "search_path");
    return;
  }
  for (const auto& command : commands) {
    INFO(command.front());
    check_refusal(core, core.run(command, space), may_create, revoke_hint);
  }
  core.close();
  for (const auto& command : commands) {
    INFO(command.front());
    check_refusal(core, core.run(command, space), "is owned by mallory", "Drop it");
  }
}

TEST_CASE("convert neither writes into a schema of others nor keeps its state in one") {
  if (PostgresServer::is_waived()) return;
  Scene scene("attack_convert");
  scene.close();
  scene.execute("GRANT CREATE ON DATABASE " + scene.name() + " TO mallory");
  const TempFolder folder;
  const std::string source = folder / "app.db";
  REQUIRE(run_process({"sqlite3", "-batch", source,
                       "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (7)"})
              .exit_code == 0);
  const std::vector<std::string> convert{"convert", source, scene.url(), "--schema", "app"};
  SUBCASE("the state") {
    scene.plant("CREATE SCHEMA nerve_convert");
    scene.plant(rise_sql, "nerve_convert");
    scene.plant(
        "CREATE TABLE nerve_convert.conversion (target_schema text PRIMARY KEY, source text NOT NULL, "
        "source_digest "
        "text NOT NULL, plan_digest text NOT NULL, run text NOT NULL DEFAULT gen_random_uuid()::text, "
        "begun_at "
        "timestamptz NOT NULL DEFAULT now(), ended_at timestamptz); CREATE TRIGGER rise BEFORE INSERT ON "
        "nerve_convert.conversion FOR EACH ROW EXECUTE FUNCTION nerve_convert.rise_on_change()");
    check_refusal(scene, scene.run(convert), "the schema nerve_convert of ", "OWNER TO");
  }
  SUBCASE("the tables") {
    scene.plant("CREATE SCHEMA app");
    scene.plant(rise_sql, "app");
    scene.plant(
        "CREATE TABLE app.t (id bigint PRIMARY KEY); CREATE TRIGGER rise BEFORE INSERT ON app.t FOR EACH ROW "
        "EXECUTE "
        "FUNCTION app.rise_on_change()");
    std::vector<std::string> append = convert;
    append.emplace_back("--append");
    check_refusal(scene, scene.run(append), "the schema app of ", "OWNER TO");
    check_refusal(scene, scene.run({"convert", "verify", source, scene.url(), "--schema", "app"}),
                  "the schema app of ", "OWNER TO");
  }
  SUBCASE("the schema that is current") {
    scene.open();
    scene.plant(rise_sql);
    scene.plant(varchar_traps_sql);
    check_refusal(scene, scene.run(convert), may_create, revoke_hint);
  }
  scene.execute("DROP SCHEMA IF EXISTS nerve_convert, app CASCADE; DROP OWNED BY mallory");
  const ProcessResult result = scene.run(convert);
  CHECK_MESSAGE(result.exit_code == 0, result.err);
}

TEST_CASE("roles sql hands no object of others to the owner role, and names it") {
  if (PostgresServer::is_waived()) return;
  Scene core("attack_roles_core");
  Scene secure("attack_roles_secure");
  const TempFolder folder;
  make_workspace(core, secure, folder);
  const std::string sql = nerve_db({"roles", "sql", "--database", core.name()}).out;
  core.execute("GRANT CREATE ON SCHEMA public TO mallory WITH GRANT OPTION");
  core.plant(
      "CREATE FUNCTION public.hers() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT CAST(CURRENT_USER "
      "AS text)'");
  std::string refusal;
  try {
    core.execute(sql);
  } catch (const std::runtime_error& error) {
    refusal = error.what();
  }
  CHECK(contains(refusal, "function public.hers() (of mallory)"));
  CHECK(core.server().query_text("SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE proname = 'hers'",
                                 core.name()) == "mallory");
  core.execute("DROP FUNCTION public.hers()");
  core.execute(sql);
  // The application trusts what it finds, and nobody else may put anything there.
  CHECK(core.server().query_text(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()",
            core.name()) == "nerve_core_owner");
  CHECK(core.server().query_text("SELECT has_schema_privilege('mallory', 'public', 'CREATE')", core.name()) ==
        "f");
  CHECK(core.server().query_text(
            "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ',') FROM pg_class WHERE "
            "relnamespace = 'public'::regnamespace",
            core.name()) == "nerve_core_owner");
  core.execute(sql);
}
