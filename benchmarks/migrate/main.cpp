// SPDX-License-Identifier: Apache-2.0
// Measures `nerve-db migrate` against dbmate and the engines' own shells, in turns, on SQLite and on a
// PostgreSQL server that it starts itself: 50 small migrations from nothing, and the status of the result.
//
// dbmate is not in Debian: `npm install --prefix DIR dbmate` puts it at
// DIR/node_modules/@dbmate/linux-x64/bin/dbmate. Neither makes a backup (there is nothing to lose) or dumps
// the schema. Each makes its SQLite file as it does for its users: nerve-db in WAL mode, synced at every
// commit; dbmate with a rollback journal at synchronous=NORMAL.
//
// Whoever reads a WAL database that nobody has open makes its -wal and -shm file. sqlite3 removes them at its
// end, a reader that may not write cannot: they are removed before each status, so that both begin alike.
#include "support/postgres_server.h"
#include "support/program_run.h"
#include "support/temp_folder.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace {

using nerve::bench::median;
using nerve::bench::run_ms;

constexpr int migrations = 50;

struct Programs {
  std::string nerve_db = NERVE_DB_PROGRAM;
  std::string dbmate = "dbmate";
};

/// The same SQL in the form of each tool.
void write_migrations(const std::filesystem::path& ours, const std::filesystem::path& theirs) {
  std::filesystem::create_directories(ours);
  std::filesystem::create_directories(theirs);
  for (int i = 1; i <= migrations; ++i) {
    const std::string text = fmt::format(
        "-- migrate:up\nCREATE TABLE table_{0} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, created_at "
        "TEXT);\nCREATE INDEX "
        "table_{0}_name ON table_{0} (name);\n\n-- migrate:down\nDROP TABLE table_{0};\n",
        i);
    std::ofstream(ours / fmt::format("{:04}_table_{}.sql", i, i)) << text;
    std::ofstream(theirs / fmt::format("202601010000{:02}_table_{}.sql", i, i)) << text;
  }
}

struct Contest {
  std::string engine;
  std::function<std::string(const std::string& who, int round)> fresh_url;  ///< a new, empty database
  std::function<std::vector<std::string>(const std::string& url)> shell;    ///< asks one query
  std::function<void(const std::string& url)> settle;  ///< leaves it as one that nobody has open
};

/// What dbmate calls a database that nerve-db calls `url`.
std::string dbmate_url(const std::string& url) {
  if (!url.starts_with("postgresql:")) return "sqlite:" + url;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + "sslmode=disable";
}

void compare(const Contest& contest, const Programs& programs, const nerve::test::TempFolder& folder,
             int rounds) {
  const std::string ours = folder / "ours";
  const std::string theirs = folder / "theirs";
  std::vector<double> nerve_up, dbmate_up, nerve_status, shell_query;
  for (int round = 0; round < rounds; ++round) {
    dbmate_up.push_back(run_ms({programs.dbmate, "--url", dbmate_url(contest.fresh_url("dbmate", round)),
                                "--migrations-dir", theirs, "--no-dump-schema", "up"}));
    const std::string url = contest.fresh_url("nerve", round);
    std::vector<std::string> up{programs.nerve_db, "migrate", "up", "--db", url, "--dir", ours};
    if (!url.starts_with("postgresql:")) up.emplace_back("--create");
    nerve_up.push_back(run_ms(up));
    for (int i = 0; i < 5; ++i) {
      contest.settle(url);
      shell_query.push_back(run_ms(contest.shell(url)));
      contest.settle(url);
      nerve_status.push_back(run_ms({programs.nerve_db, "migrate", "status", "--db", url, "--dir", ours}));
    }
  }
  fmt::print(
      "{}: {} migrations from nothing, median of {}: dbmate {:.1f} ms, nerve-db {:.1f} ms, ratio {:.2f}\n",
      contest.engine, migrations, rounds, median(dbmate_up), median(nerve_up),
      median(nerve_up) / median(dbmate_up));
  fmt::print("{}: status, median of {}: one query by {} {:.2f} ms, nerve-db {:.2f} ms, ratio {:.2f}\n",
             contest.engine, 5 * rounds, contest.shell("").front(), median(shell_query), median(nerve_status),
             median(nerve_status) / median(shell_query));
}

}  // namespace

int main(int argc, char** argv) {
  Programs programs;
  int rounds = 11;
  CLI::App app("Measures nerve-db migrate against dbmate.");
  app.add_option("--program", programs.nerve_db, "the nerve-db to be measured")->capture_default_str();
  app.add_option("--dbmate", programs.dbmate, "the dbmate to be measured against")->capture_default_str();
  app.add_option("--rounds", rounds, "runs of each")->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const nerve::test::TempFolder folder;
    write_migrations(folder / "ours", folder / "theirs");
    const std::string query = "SELECT * FROM schema_migrations ORDER BY version";
    compare({"SQLite",
             [&](const std::string& who, int round) {
               return (folder / fmt::format("{}_{}.db", who, round)).string();
             },
             [&](const std::string& url) {
               return std::vector<std::string>{"sqlite3", url, query};
             },
             [](const std::string& url) {
               for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(url + suffix);
             }},
            programs, folder, rounds);
    auto& server = nerve::test::PostgresServer::shared();
    compare({"PostgreSQL",
             [&](const std::string& who, int round) {
               return server.create_database(fmt::format("{}_{}", who, round));
             },
             [&](const std::string& url) {
               return std::vector<std::string>{"psql", "-X", "-d", url, "-c", query};
             },
             [](const std::string&) {}},
            programs, folder, rounds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_migrate: {}\n", error.what());
    return 1;
  }
  return 0;
}
