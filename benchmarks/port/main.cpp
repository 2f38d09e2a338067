// SPDX-License-Identifier: Apache-2.0
// Measures the database port against the engines' own libraries in one run: inserts in batches, reading all
// rows, and look-ups by key. With --stream it compares each() with stream() instead, with --scope a tenant's
// rows in a scope with those that a statement bounds by itself. PostgreSQL is started for the run.
#include "measure.h"
#include "stream.h"
#include "support/postgres_server.h"
#include "support/temp_folder.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <exception>
#include <string>

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

void compare_scope(const bench::Sizes& sizes, bool without_postgresql) {
  const test::TempFolder folder;
  std::vector<std::unique_ptr<bench::Work>> contestants;
  contestants.push_back(bench::make_without_scope((folder / "without.db").string()));
  contestants.push_back(bench::make_in_scope((folder / "in.db").string()));
  print("SQLite", bench::measure(contestants, sizes), sizes);
  if (without_postgresql) return;
  test::PostgresServer& server = test::PostgresServer::shared();
  contestants.clear();
  contestants.push_back(bench::make_without_scope(server.create_database("without_scope")));
  contestants.push_back(bench::make_in_scope(server.create_database("in_scope")));
  print("PostgreSQL", bench::measure(contestants, sizes), sizes);
}

struct Request {
  bench::Sizes sizes;
  bool without_postgresql = false;
  bool with_soci = false;
  bool compares_readings = false;
  bool compares_scope = false;
  std::string read_each_url;    ///< what a child of --stream reads by each()
  std::string read_stream_url;  ///< or by stream()
};

void add_options(CLI::App& app, Request& request) {
  app.add_option("--rows", request.sizes.rows, "rows to insert and read")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--look-ups", request.sizes.look_ups, "look-ups by key")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", request.sizes.rounds, "rounds of which the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--without-postgresql", request.without_postgresql, "measure SQLite only");
  app.add_flag("--with-soci", request.with_soci,
               "measure plain SOCI on PostgreSQL too: prepared inserts, about 30 s a million rows");
  app.add_flag("--stream", request.compares_readings,
               "rows a second and memory of each() and stream() on PostgreSQL");
  app.add_flag("--scope", request.compares_scope,
               "rows of a tenant by statements of one's own, and by a record in a scope");
  app.add_option("--read-each", request.read_each_url, "only read the table at this URL by each()")
      ->group("");
  app.add_option("--read-stream", request.read_stream_url, "only read the table at this URL by stream()")
      ->group("");
}

void run(const Request& request) {
  const bench::Sizes& sizes = request.sizes;
  if (!request.read_each_url.empty()) {
    return bench::read_rows(request.read_each_url, bench::Reading::each, sizes.rows);
  }
  if (!request.read_stream_url.empty()) {
    return bench::read_rows(request.read_stream_url, bench::Reading::stream, sizes.rows);
  }
  if (request.compares_readings) {
    return bench::compare_readings(test::PostgresServer::shared().create_database("stream"), sizes.rows,
                                   sizes.rounds);
  }
  if (request.compares_scope) return compare_scope(sizes, request.without_postgresql);
  run_sqlite(sizes);
  if (!request.without_postgresql) run_postgresql(sizes, request.with_soci);
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Measures the database port against sqlite3 and libpq.");
  add_options(app, request);
  CLI11_PARSE(app, argc, argv);
  try {
    run(request);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_port: {}\n", error.what());
    return 1;
  }
  return 0;
}
