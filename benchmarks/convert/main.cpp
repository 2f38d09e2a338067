// SPDX-License-Identifier: Apache-2.0
// Measures `nerve-db convert` against pgloader, and its data against psql's \copy of binary files by two
// connections, in turns, on a server of its own that does not sync.
//
// Ours is the whole: scan, load, keys, indexes, foreign keys, and the comparison of every row; pgloader
// compares nothing. The data alone are those of the same tables without a key, whose load the converter's own
// report gives; \copy reads what the server wrote of them with COPY … TO, into tables that are there. With
// two connections \copy keeps two cores busy with the server alone; with one, a machine of two has one for
// the client.
#include "sample_database.h"
#include "support/postgres_server.h"
#include "support/program_run.h"
#include "support/temp_folder.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace nerve::bench;
using nerve::test::PostgresServer;
using nerve::test::TempFolder;

constexpr std::size_t connections_max = 2;

struct Options {
  std::string nerve_db = NERVE_DB_PROGRAM;
  int rows = 5'000'000;
  int rounds = 3;
  bool without_pgloader = false;
};

struct Series {
  std::vector<double> ms;
  long rss_kib = 0;

  void add(const ProgramRun& run) {
    ms.push_back(run.ms);
    rss_kib = std::max(rss_kib, run.rss_kib);
  }
};

class Benchmark {
 public:
  explicit Benchmark(const Options& options)
      : options_(options),
        server_(
            {.settings = {
                 {"shared_buffers", "512MB"}, {"max_wal_size", "8GB"}, {"maintenance_work_mem", "128MB"}}}) {
    make_sample(whole_, options.rows, SampleKind::whole);
    make_sample(data_, options.rows, SampleKind::data_only);
    write_copy_files();
  }

  void run() {
    Series ours;
    Series unchecked;
    Series pgloader;
    std::array<Series, connections_max> data;
    std::array<Series, connections_max> copy;
    for (int round = 0; round < options_.rounds; ++round) {
      ours.add(convert(whole_, {}));
      unchecked.add(convert(whole_, {"--no-check"}));
      if (!options_.without_pgloader) pgloader.add(load_by_pgloader());
      for (std::size_t connections = 1; connections <= connections_max; ++connections) {
        data.at(connections - 1).ms.push_back(load_ms(connections));
        copy.at(connections - 1).add(copy_by_psql(connections));
      }
    }
    fmt::print("{:.0f} MB, {} rows, median of {} rounds\n",
               static_cast<double>(std::filesystem::file_size(whole_)) / 1e6, options_.rows, options_.rounds);
    fmt::print("{:<48}{:>9}{:>9}{:>9}\n", "", "s", "ratio", "RSS MB");
    const double base = median(ours.ms);
    print("nerve-db convert, checked and compared", ours, base);
    print("nerve-db convert --no-check, compared", unchecked, base);
    if (!options_.without_pgloader) print("pgloader", pgloader, base);
    for (std::size_t connections = connections_max; connections > 0; --connections) {
      const double raw = median(copy.at(connections - 1).ms);
      print(fmt::format("data alone, {} connection(s): psql \\copy binary", connections),
            copy.at(connections - 1), raw);
      print(fmt::format("data alone, {} connection(s): nerve-db's load", connections),
            data.at(connections - 1), raw);
    }
  }

 private:
  static void print(const std::string& name, const Series& series, double base_ms) {
    fmt::print("{:<48}{:>9.2f}{:>9.2f}{:>9.1f}\n", name, median(series.ms) / 1000,
               median(series.ms) / base_ms, static_cast<double>(series.rss_kib) * 1024 / 1e6);
  }

  std::string new_database() { return server_.create_database(fmt::format("bench_{}", ++databases_)); }
  void drop_database() { server_.execute(fmt::format("DROP DATABASE bench_{}", databases_)); }

  ProgramRun convert(const std::filesystem::path& source, const std::vector<std::string>& further) {
    const std::string url = new_database();
    std::vector<std::string> arguments{options_.nerve_db, "convert", source, url, "--quiet"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    const ProgramRun run = run_program(arguments);
    drop_database();
    return run;
  }

  /// What the report says of the load.
  double load_ms(std::size_t connections) {
    const std::string url = new_database();
    const std::filesystem::path report = folder_ / "report.json";
    run_program({"sh", "-c", R"("$1" convert "$2" "$3" --workers "$5" --json > "$4")", "sh",
                 options_.nerve_db, data_, url, report, std::to_string(connections)});
    drop_database();
    std::ifstream stream(report);
    return nlohmann::json::parse(stream).at("durations_ms").at("load").get<double>();
  }

  ProgramRun load_by_pgloader() {
    new_database();
    const std::string target = fmt::format("postgresql://postgres@unix:{}:{}/bench_{}",
                                           server_.socket_folder().string(), server_.port(), databases_);
    const ProgramRun run = run_program(
        {"pgloader", "--quiet", "--dynamic-space-size", "8192", "sqlite://" + whole_.string(), target});
    drop_database();
    return run;
  }

  std::string psql(const std::string& arguments) const {
    return fmt::format("'{}/psql' -q -h '{}' -p {} -U postgres {}", server_.programs_folder().string(),
                       server_.socket_folder().string(), server_.port(), arguments);
  }

  /// The tables of the data, as DDL and as binary files.
  void write_copy_files() {
    const std::string url = new_database();
    run_program({options_.nerve_db, "convert", data_, url, "--quiet"});
    const std::string database = fmt::format("bench_{}", databases_);
    run_program({"sh", "-c",
                 fmt::format("'{}/pg_dump' -h '{}' -p {} -U postgres --schema-only -n public {} > '{}'",
                             server_.programs_folder().string(), server_.socket_folder().string(),
                             server_.port(), database, (folder_ / "schema.sql").string())});
    for (const char* table : sample_tables) {
      run_program({"sh", "-c",
                   psql(fmt::format(R"sh(-d {} -c "\copy {} to '{}' with (format binary)")sh", database,
                                    table, (folder_ / table).string()))});
    }
    drop_database();
  }

  ProgramRun copy_by_psql(std::size_t connections) {
    new_database();
    const std::string database = fmt::format("bench_{}", databases_);
    server_.execute("DROP SCHEMA public CASCADE", database);
    run_program(
        {"sh", "-c", psql(fmt::format("-d {} -f '{}'", database, (folder_ / "schema.sql").string()))});
    const auto copies = [&](std::initializer_list<const char*> tables) {
      std::string arguments = "-d " + database;
      for (const char* table : tables) {
        arguments += fmt::format(R"sh( -c "\copy {} from '{}' with (format binary)")sh", table,
                                 (folder_ / table).string());
      }
      return psql(arguments);
    };
    // By size, so that both end at about the same time.
    const std::string first = copies({sample_tables[0], sample_tables[3]});
    const std::string second = copies({sample_tables[1], sample_tables[2], sample_tables[4]});
    const ProgramRun run =
        run_program({"sh", "-c", first + (connections == 1 ? " ; " : " & ") + second + "; wait"});
    drop_database();
    return run;
  }

  const Options& options_;
  PostgresServer server_;
  TempFolder folder_;
  std::filesystem::path whole_ = folder_ / "sample.db";
  std::filesystem::path data_ = folder_ / "data.db";
  int databases_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures nerve-db convert against pgloader and psql's \\copy.");
  app.add_option("--program", options.nerve_db, "the nerve-db to be measured")->capture_default_str();
  app.add_option("--rows", options.rows, "rows of the database")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "runs of each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--without-pgloader", options.without_pgloader, "measure \\copy and nerve-db only");
  CLI11_PARSE(app, argc, argv);
  try {
    Benchmark(options).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_convert: {}\n", error.what());
    return 1;
  }
  return 0;
}
