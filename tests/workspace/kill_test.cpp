// SPDX-License-Identifier: Apache-2.0
// Goal: kill -9 at a random moment of `init` leaves no half workspace: either it is complete, or no command
// takes it for one and the same `init` run again completes it, with the stores of one workspace.
//
// Method: runs are timed; then 20 runs for each engine (fewer outside of a long run, effort.h) are killed,
// each after a random part of that time (a fixed seed, printed), on new databases.
#include "support/engine.h"
#include "support/process.h"
#include "support/random_moments.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

using namespace nerve;
using test::Process;
using test::ProcessResult;
using test::RandomMoments;
using test::run_process;

namespace {

namespace fs = std::filesystem;

constexpr int kills = 20;
constexpr unsigned int seed = 20'261'122;

/// The databases of a new workspace: two of the server's, or the files that init makes itself.
template <class Engine>
struct Stores {
  Engine core_database = Engine::owned();
  Engine secure_database = Engine::owned();

  std::vector<std::string> options() const {
    if constexpr (Engine::dialect == db::Dialect::sqlite) {
      return {};
    } else {
      return {"--core", core_database.url(), "--secure", secure_database.url()};
    }
  }
  std::string core_url(const fs::path& folder) const { return url(core_database, folder / "nerve.db"); }
  std::string secure_url(const fs::path& folder) const {
    return url(secure_database, folder / "nerve-secure.db");
  }

 private:
  static std::string url(const Engine& database, const fs::path& file) {
    return Engine::dialect == db::Dialect::sqlite ? "sqlite:" + file.string() : database.url();
  }
};

template <class Engine>
class Scene {
 public:
  std::vector<std::string> init() const {
    std::vector<std::string> words{NERVE_DB_PROGRAM, "init", folder().string(), "--quiet"};
    for (const std::string& word : stores_.options()) words.push_back(word);
    return words;
  }
  bool is_complete() const { return fs::exists(folder() / "nerve.toml"); }

  void check_no_workspace() const {
    const ProcessResult result = in_workspace({"tenant", "list"});
    CAPTURE(result.err);
    CHECK(result.exit_code == 3);
  }

  /// Whole, of one id in both stores, and with nothing that only a run in progress needs.
  void check_workspace(const std::string& id) const {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"status"}, {"tenant", "create", "Acme"}}) {
      const ProcessResult result = in_workspace(words);
      CAPTURE(result.err);
      CHECK(result.exit_code == 0);
    }
    CHECK(text(stores_.core_url(folder()), workspace_id) == id);
    CHECK(text(stores_.secure_url(folder()), workspace_id) == id);
    for (const auto& entry : fs::directory_iterator(folder())) {
      const std::string name = entry.path().filename();
      CAPTURE(name);
      const bool is_own = name == "backups" || name == "nerve.toml" || name.starts_with("nerve.db") ||
                          name.starts_with("nerve-secure.db");
      CHECK(is_own);
    }
    if constexpr (Engine::dialect == db::Dialect::postgresql) {
      for (const std::string& url : {stores_.core_url(folder()), stores_.secure_url(folder())})
        CHECK(text(url, advisory_locks) == "0");
    }
  }

  /// The id that the workspace's settings hold.
  std::string id_in_settings() const {
    const ProcessResult result = in_workspace({"status"});
    constexpr std::size_t id_size = 36;
    // Of its own line: the folder's random name, a line above, may hold these letters.
    const std::size_t label = result.out.find("\nid ");
    if (label == std::string::npos) return {};
    return result.out.substr(result.out.find_first_not_of(' ', label + 3), id_size);
  }

 private:
  static constexpr std::string_view workspace_id = "SELECT CAST(workspace_id AS text) FROM store_identity";
  static constexpr std::string_view advisory_locks =
      "SELECT CAST(count(*) AS text) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid "
      "FROM pg_database WHERE datname = current_database())";

  fs::path folder() const { return folder_ / "space"; }
  ProcessResult in_workspace(const std::vector<std::string>& verb) const {
    std::vector<std::string> words{NERVE_DB_PROGRAM};
    words.insert(words.end(), verb.begin(), verb.end());
    words.insert(words.end(), {"--workspace", folder().string()});
    return run_process(words);
  }
  static std::string text(const std::string& url, std::string_view sql) {
    return open_database(url)->read(
        [&](db::Transaction& transaction) { return transaction.one<std::string>(sql); });
  }

  test::TempFolder folder_;
  Stores<Engine> stores_;
};

template <class Engine>
std::chrono::microseconds duration_of_init() {
  const Scene<Engine> scene;
  const auto started = std::chrono::steady_clock::now();
  REQUIRE(run_process(scene.init()).exit_code == 0);
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
}

}  // namespace

CONFORMANCE_TEST(
    "kill -9 at random moments of init leaves no half workspace, and the next run completes it") {
  if (Engine::is_waived()) {
    MESSAGE("skipped: PostgreSQL is not installed and NERVE_POSTGRES=optional");
    return;
  }
  // The shortest of three: the first warms up what the others find warm.
  const auto duration =
      std::min({duration_of_init<Engine>(), duration_of_init<Engine>(), duration_of_init<Engine>()});
  MESSAGE("seed ", seed, ", init takes ", duration.count() / 1000, " ms");

  RandomMoments moments(seed, kills);
  while (moments.is_one_wanted()) {
    const Scene<Engine> scene;
    const auto delay = moments.next(duration);
    CAPTURE(delay.count());
    const ProcessResult result = Process(scene.init()).kill_after(delay);
    CHECK((result.exit_code == 0 || result.signal == SIGKILL));
    const bool was_complete = scene.is_complete();
    if (!was_complete) scene.check_no_workspace();
    const ProcessResult again = run_process(scene.init());
    CAPTURE(again.err);
    CHECK(again.exit_code == (was_complete ? 4 : 0));
    moments.count(!was_complete);
    const std::string id = scene.id_in_settings();
    if (!was_complete) CHECK(again.out == id + "\n");
    scene.check_workspace(id);
  }
  MESSAGE(moments.runs(), " runs, of which ", moments.wanted(), " were to be completed by the next");
  CHECK(moments.is_enough());
}
