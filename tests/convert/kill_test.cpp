// SPDX-License-Identifier: Apache-2.0
// Goal: whatever is killed, a conversion is never half: the same command goes on and ends as if it had never
// been interrupted, and one with --atomic leaves nothing.
//
// Method: undisturbed runs are timed; then runs are disturbed after a random part of the shortest one's time
// (a fixed seed, printed): by SIGKILL, SIGINT or SIGTERM of the converter, and by SIGKILL of the server's
// first process or of one that serves the converter, whereupon the server recovers. After each the command is
// run again, and the report, the rejects, the rows and the schema (as pg_dump writes it) are compared with
// those of an undisturbed run, whose rows are compared with the source's by code that shares nothing with the
// converter.
#include "convert/kill_scene.h"
#include "support/random_moments.h"

#include "nerve/core/json.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

using nerve::Json;
using namespace nerve::test;

namespace {

constexpr unsigned int seed = 20'261'122;

// docs/exit_codes.md
constexpr int exit_unavailable = 7;
constexpr int exit_cancelled = 130;

/// Random moments over the whole of a run, until `wanted` runs were disturbed.
RandomMoments moments_of(const KillScene& scene, int wanted) {
  MESSAGE("seed ", seed, ", a run takes ", scene.duration().count() / 1000, " ms");
  return {seed, wanted};
}

/// What kills the server, or a part of it.
enum class Victim { server, session };

/// Kills one of the processes that serve the converter, whereupon the server ends all sessions and recovers.
/// Returns whether there was one.
bool kill_session(PostgresServer& server, const KillScene& scene) {
  const std::string of_converter =
      "SELECT pid FROM pg_stat_activity WHERE datname = '" + scene.database() +
      "' AND backend_type = 'client backend' ORDER BY backend_start DESC LIMIT 1";
  const std::string pid = server.query_text(of_converter);
  if (pid.empty()) return false;
  ::kill(std::stoi(pid), SIGKILL);
  for (bool is_noticed = false; !is_noticed;) {
    try {
      is_noticed = server.query_text("SELECT 1 FROM pg_stat_activity WHERE pid = " + pid).empty();
    } catch (const std::runtime_error&) {
      is_noticed = true;
    }
  }
  server.wait_until_ready();
  return true;
}

/// Kills the server at a moment of a run, and has it up again. Returns whether the run was disturbed.
bool disturb(PostgresServer& server, const KillScene& scene, Victim victim, std::chrono::microseconds delay) {
  Process process(scene.command(), scene.options());
  std::this_thread::sleep_for(delay);
  bool is_killed = true;
  if (victim == Victim::server) {
    server.kill();
  } else {
    is_killed = kill_session(server, scene);
  }
  const ProcessResult result = process.wait();
  if (victim == Victim::server) server.start();
  CAPTURE(result.err);
  CHECK(result.signal == 0);
  if (result.exit_code == exit_partial) return false;
  CHECK(is_killed);
  CHECK(result.exit_code == exit_unavailable);
  // A connection that is made at that moment may have libpq write a line before ours.
  const Json error = Json::parse(result.err.substr(result.err.find('{'))).at("error");
  CHECK(error.at("kind") == "unavailable");
  CHECK(error.at("message").get<std::string>().find(scene.database()) != std::string::npos);
  CHECK(error.at("hint") != "");
  return true;
}

/// Kills the converter at moments of so many runs of one conversion, or of fewer where one reaches its end.
void kill_repeatedly(const KillScene& scene, RandomMoments& moments, int times) {
  for (int run = 0; run < times && !scene.is_ended(); ++run) {
    const auto delay = moments.next(scene.duration());
    CAPTURE(delay.count());
    const ProcessResult result = Process(scene.command(), scene.options()).kill_after(delay);
    moments.count(result.signal == SIGKILL);
    if (result.signal == SIGKILL) continue;
    CAPTURE(result.err);
    CHECK(result.exit_code == exit_partial);
  }
}

/// The sources of the cases below, one of each journal mode; several cases share one for its undisturbed
/// runs.
KillScene& command_scene() {
  static KillScene scene(PostgresServer::shared(), "kill_command", Way::command, "wal");
  return scene;
}
KillScene& ranges_scene() {
  static KillScene scene(PostgresServer::shared(), "kill_ranges", Way::small_ranges, "delete");
  return scene;
}

void survive_kills_of_converter(KillScene& scene, int kills) {
  RandomMoments moments = moments_of(scene, kills);
  int conversions = 0;
  for (; moments.is_one_wanted(); ++conversions) {
    CAPTURE(conversions);
    scene.clear();
    kill_repeatedly(scene, moments, conversions % 2 + 1);
    scene.finish();
    scene.check_result();
  }
  MESSAGE(moments.runs(), " runs in ", conversions, " conversions, of which ", moments.wanted(),
          " were to be killed");
  CHECK(moments.is_enough());
}

void survive_kills_of_server(KillScene& scene, int kills) {
  RandomMoments moments = moments_of(scene, kills);
  for (int round = 0; moments.is_one_wanted(); ++round) {
    const auto delay = moments.next(scene.duration());
    CAPTURE(round);
    CAPTURE(delay.count());
    scene.clear();
    // Every third time it is the end of one session that takes the server down.
    const Victim victim = round % 3 == 2 ? Victim::session : Victim::server;
    moments.count(disturb(PostgresServer::shared(), scene, victim, delay));
    scene.finish();
    scene.check_result();
  }
  MESSAGE(moments.runs(), " conversions, of which ", moments.wanted(), " were to be disturbed");
  CHECK(moments.is_enough());
}

/// Checks that nothing is there of a run that was disturbed, or all of it, and that another one does it all.
void check_all_or_nothing(const KillScene& scene, const std::string& before) {
  scene.check_no_session(std::chrono::seconds(5));
  if (!scene.is_ended()) CHECK(scene.dump() == before);
  scene.finish();
  scene.check_result();
}

}  // namespace

TEST_CASE("a conversion that is killed at random moments is gone on with by the same command") {
  if (PostgresServer::is_waived()) return;
  survive_kills_of_converter(command_scene(), 15);
}

TEST_CASE("a conversion of tables in many ranges that is killed at random moments is gone on with") {
  if (PostgresServer::is_waived()) return;
  survive_kills_of_converter(ranges_scene(), 15);
}

TEST_CASE("a conversion whose server is killed at random moments is gone on with") {
  if (PostgresServer::is_waived()) return;
  survive_kills_of_server(command_scene(), 15);
}

TEST_CASE("a conversion of tables in many ranges whose server is killed at random moments is gone on with") {
  if (PostgresServer::is_waived()) return;
  survive_kills_of_server(ranges_scene(), 15);
}

TEST_CASE("an atomic conversion that is killed, or whose server is, leaves the target as it was") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  KillScene scene(server, "kill_atomic", Way::atomic, "wal");
  server.execute(
      "CREATE SCHEMA other; CREATE TABLE other.kept (id int PRIMARY KEY, t text); INSERT INTO other.kept "
      "VALUES (1, 'a'); "
      "SELECT lo_from_bytea(4711, 'large')",
      scene.database());
  scene.relearn_target();
  scene.clear();
  const std::string before = scene.dump();
  constexpr int kills = 20;
  RandomMoments moments = moments_of(scene, kills);
  for (int round = 0; moments.is_one_wanted(); ++round) {
    const auto delay = moments.next(scene.duration());
    CAPTURE(round);
    CAPTURE(delay.count());
    scene.clear();
    if (round % 2 == 0) {
      moments.count(Process(scene.command(), scene.options()).kill_after(delay).signal == SIGKILL);
    } else {
      const Victim victim = round % 3 == 2 ? Victim::session : Victim::server;
      moments.count(disturb(server, scene, victim, delay));
    }
    check_all_or_nothing(scene, before);
  }
  MESSAGE(moments.runs(), " conversions, of which ", moments.wanted(), " were to be disturbed");
  CHECK(moments.is_enough());
}

TEST_CASE("a conversion that SIGINT or SIGTERM ends takes its sessions along and is gone on with") {
  if (PostgresServer::is_waived()) return;
  KillScene& scene = command_scene();
  constexpr int signals = 6;
  RandomMoments moments = moments_of(scene, signals);
  while (moments.is_one_wanted()) {
    const int signal = moments.runs() % 2 == 0 ? SIGINT : SIGTERM;
    const auto delay = moments.next(scene.duration());
    CAPTURE(signal);
    CAPTURE(delay.count());
    scene.clear();
    Process process(scene.command(), scene.options());
    std::this_thread::sleep_for(delay);
    process.send_signal(signal);
    const ProcessResult result = process.wait();
    scene.check_no_session(std::chrono::seconds(1));
    CAPTURE(result.err);
    // Before it has begun to watch for them, a signal has its usual effect.
    CHECK(
        (result.exit_code == exit_cancelled || result.exit_code == exit_partial || result.signal == signal));
    moments.count(result.exit_code == exit_cancelled);
    scene.finish();
    scene.check_result();
  }
  CHECK(moments.is_enough());
}

TEST_CASE("a conversion that is killed while the server builds an index is gone on with at once") {
  if (PostgresServer::is_waived()) return;
  KillScene& scene = command_scene();
  PostgresServer& server = PostgresServer::shared();
  scene.clear();
  // No client is needed for the statement to last, as for one over many rows.
  server.execute(
      "CREATE SCHEMA wait; CREATE FUNCTION wait.long() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
      "PERFORM pg_sleep(60); END $$; "
      "CREATE EVENT TRIGGER wait ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION "
      "wait.long()",
      scene.database());
  Process process(scene.command(), scene.options());
  while (server.query_text(
             "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
             scene.database()) != "1") {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  process.send_signal(SIGKILL);
  CHECK(process.wait().signal == SIGKILL);
  server.execute("DROP EVENT TRIGGER wait; DROP SCHEMA wait CASCADE", scene.database());
  scene.finish();
  scene.check_result();
}

TEST_CASE("two conversions into one schema at once make it once") {
  if (PostgresServer::is_waived()) return;
  KillScene& scene = ranges_scene();
  constexpr int rounds = 5;
  RandomMoments moments = moments_of(scene, rounds);
  for (int round = 0; round < rounds; ++round) {
    const auto delay = moments.next(scene.duration()) / 2;
    CAPTURE(round);
    CAPTURE(delay.count());
    scene.clear();
    Process one(scene.command(), scene.options());
    std::this_thread::sleep_for(delay);
    Process other(scene.command(), scene.options());
    const ProcessResult first = one.wait();
    const ProcessResult second = other.wait();
    CAPTURE(first.err);
    CAPTURE(second.err);
    CHECK((first.exit_code == exit_partial) != (second.exit_code == exit_partial));
    CHECK((first.exit_code == exit_conflict || second.exit_code == exit_conflict));
    scene.check_result();
  }
}
