// SPDX-License-Identifier: Apache-2.0
#include "support/postgres_server.h"

#include "support/process.h"
#include "support/temp_folder.h"

#include <doctest/doctest.h>
#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;
using nerve::test::PostgresServer;

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

Connection connect(const std::string& url) {
  return Connection(PQconnectdb(url.c_str()));
}

bool is_connected(const Connection& connection) {
  return PQstatus(connection.get()) == CONNECTION_OK;
}

}  // namespace

TEST_CASE("a PostgreSQL server of the test's own answers on its socket only") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  CHECK(server.query_text("SHOW listen_addresses").empty());
  CHECK(server.query_text("SHOW server_encoding") == "UTF8");
  CHECK(server.query_text("SELECT extract(timezone FROM now())::int") == "20700");
  CHECK(is_connected(connect(server.create_database("with space"))));
}

TEST_CASE("the server's folder is closed to others and the server does not run as root") {
  if (PostgresServer::is_waived()) return;
  struct stat status {};
  REQUIRE(::stat((PostgresServer::shared().socket_folder() / "data").c_str(), &status) == 0);
  CHECK((status.st_mode & 0077) == 0);
  CHECK(status.st_uid != 0);
}

TEST_CASE("a role with a password cannot enter without it") {
  if (PostgresServer::is_waived()) return;
  PostgresServer& server = PostgresServer::shared();
  server.create_password_role("guarded", "it's a secret");
  const std::string socket = "host=" + server.socket_folder().string() + " dbname=postgres user=guarded";
  CHECK_FALSE(is_connected(connect(socket)));
  CHECK_FALSE(is_connected(connect(socket + " password=wrong")));
  CHECK(is_connected(connect(socket + " password='it\\'s a secret'")));
}

TEST_CASE("TLS verifies the server's certificate against its address") {
  if (PostgresServer::is_waived()) return;
  PostgresServer server({.listen_on_tcp = true, .use_tls = true, .settings = {}});
  server.create_password_role("guarded", "secret");
  // A client run as root may not enter the server's folder by another user's eyes; the certificate is read by
  // us.
  const std::string verified = server.tcp_url("guarded") + "?sslmode=verify-full&sslrootcert=";
  const Connection good = connect(verified + server.certificate_file().string() + "&password=secret");
  CHECK(is_connected(good));
  CHECK(PQsslInUse(good.get()) == 1);
  CHECK_FALSE(is_connected(connect(verified + "/dev/null&password=secret")));
}

TEST_CASE("kill_backends ends the connections of others, and a restart serves the same data") {
  if (PostgresServer::is_waived()) return;
  PostgresServer server;
  server.execute("CREATE TABLE kept AS SELECT 7 AS number");
  const Connection victim = connect(server.url());
  REQUIRE(is_connected(victim));
  CHECK(server.kill_backends() == 1);
  PQclear(PQexec(victim.get(), "SELECT 1"));
  CHECK_FALSE(is_connected(victim));

  server.stop();
  CHECK_FALSE(is_connected(connect(server.url())));
  server.start();
  CHECK(server.query_text("SELECT number FROM kept") == "7");
}

TEST_CASE("a server that is killed starts again with what was committed, and without what was not") {
  if (PostgresServer::is_waived()) return;
  PostgresServer server;
  server.execute("CREATE TABLE kept AS SELECT 7 AS number");
  const Connection victim = connect(server.url());
  PQclear(PQexec(victim.get(), "BEGIN; INSERT INTO kept VALUES (8)"));
  server.kill();
  CHECK_FALSE(is_connected(connect(server.url())));
  server.start();
  PQclear(PQexec(victim.get(), "COMMIT"));
  CHECK_FALSE(is_connected(victim));
  CHECK(server.query_text("SELECT sum(number) FROM kept") == "7");
}

TEST_CASE("nothing of the server remains after its object's life") {
  if (PostgresServer::is_waived()) return;
  fs::path folder;
  {
    const PostgresServer server;
    folder = server.socket_folder();
    CHECK(fs::exists(folder));
  }
  CHECK_FALSE(fs::exists(folder));
}

// Goal: a test that is killed leaves no server behind. Method: this program runs the next test case alone in
// a child, which tells its server's folder and its process id through a file and then waits to be killed.
TEST_CASE("hold a server until killed" * doctest::skip()) {
  const char* report = std::getenv("NERVE_TEST_REPORT");
  REQUIRE(report != nullptr);
  PostgresServer server;
  std::ifstream pid_file(server.socket_folder() / "data" / "postmaster.pid");
  std::string pid;
  std::getline(pid_file, pid);
  std::ofstream(std::string(report) + ".part") << server.socket_folder().string() << '\n' << pid << '\n';
  fs::rename(std::string(report) + ".part", report);
  std::this_thread::sleep_for(std::chrono::minutes(5));
}

TEST_CASE("the server and its folder are gone after the test program was killed with SIGKILL") {
  if (PostgresServer::is_waived()) return;
  using namespace std::chrono_literals;
  const nerve::test::TempFolder folder;
  const fs::path report = folder / "report";
  nerve::test::Process holder(
      {program_invocation_name, "--no-skip", "--test-case=hold a server until killed"},
      {.env = {{"NERVE_TEST_REPORT", report.string()}}, .cwd = {}, .stdin_text = {}});
  for (int tries = 0; tries < 600 && !fs::exists(report); ++tries) std::this_thread::sleep_for(100ms);
  REQUIRE(fs::exists(report));
  std::ifstream lines(report);
  std::string server_folder;
  pid_t server_pid = 0;
  lines >> server_folder >> server_pid;
  REQUIRE(fs::exists(server_folder));
  REQUIRE(::kill(server_pid, 0) == 0);

  holder.send_signal(SIGKILL);
  CHECK(holder.wait().signal == SIGKILL);
  for (int tries = 0; tries < 150 && fs::exists(server_folder); ++tries) std::this_thread::sleep_for(100ms);
  CHECK_FALSE(fs::exists(server_folder));
  CHECK(::kill(server_pid, 0) != 0);
}
