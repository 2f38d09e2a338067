// SPDX-License-Identifier: Apache-2.0
// Measures the database port against the engines' own libraries in one run: inserts in batches, reading all
// rows, and look-ups by key. PostgreSQL is started for the run.
#include "measure.h"
#include "support/postgres_server.h"
#include "support/temp_folder.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <exception>

using namespace nerve;

namespace {

void print(const char* engine, const std::vector<bench::Times>& times, const bench::Sizes& sizes) {
  const bench::Times& raw = times.front();
  fmt::print("\n{}: {} rows, {} look-ups, median of {} rounds\n", engine, sizes.rows, sizes.look_ups,
             sizes.rounds);
  fmt::print("{:<10}{:>10}{:>8}{:>10}{:>8}{:>12}{:>8}\n", "", "insert s", "ratio", "read s", "ratio",
             "look-up us", "ratio");
  for (const bench::Times& one : times) {
    fmt::print("{:<10}{:>10.3f}{:>8.2f}{:>10.3f}{:>8.2f}{:>12.2f}{:>8.2f}\n", one.name, one.insert_s,
               one.insert_s / raw.insert_s, one.read_s, one.read_s / raw.read_s,
               one.look_up_s * 1e6 / static_cast<double>(sizes.look_ups), one.look_up_s / raw.look_up_s);
  }
}

void run_sqlite(const bench::Sizes& sizes) {
  const test::TempFolder folder;
  std::vector<std::unique_ptr<bench::Work>> contestants;
  contestants.push_back(bench::make_raw_sqlite(folder / "raw.db"));
  contestants.push_back(bench::make_soci_sqlite(folder / "soci.db"));
  contestants.push_back(bench::make_port((folder / "port.db").string()));
  print("SQLite", bench::measure(contestants, sizes), sizes);
}

void run_postgresql(const bench::Sizes& sizes, bool with_soci) {
  test::PostgresServer& server = test::PostgresServer::shared();
  const auto conninfo = [&](const char* name) {
    server.create_database(name);
    return fmt::format("host={} port={} user=postgres dbname={}", server.socket_folder().string(),
                       server.port(), name);
  };
  std::vector<std::unique_ptr<bench::Work>> contestants;
  contestants.push_back(bench::make_raw_postgresql(conninfo("raw")));
  if (with_soci) contestants.push_back(bench::make_soci_postgresql(conninfo("soci")));
  contestants.push_back(bench::make_port(server.create_database("port")));
  print("PostgreSQL", bench::measure(contestants, sizes), sizes);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Sizes sizes;
  bool without_postgresql = false;
  bool with_soci = false;
  CLI::App app("Measures the database port against sqlite3 and libpq.");
  app.add_option("--rows", sizes.rows, "rows to insert and read")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--look-ups", sizes.look_ups, "look-ups by key")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", sizes.rounds, "rounds of which the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--without-postgresql", without_postgresql, "measure SQLite only");
  app.add_flag("--with-soci", with_soci,
               "measure plain SOCI on PostgreSQL too: prepared inserts, about 30 s a million rows");
  CLI11_PARSE(app, argc, argv);
  try {
    run_sqlite(sizes);
    if (!without_postgresql) run_postgresql(sizes, with_soci);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_port: {}\n", error.what());
    return 1;
  }
  return 0;
}
