// SPDX-License-Identifier: Apache-2.0
#include "support/postgres_server.h"

#include "support/system_error.h"
#include "support/tls_certificate.h"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace nerve::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto start_wait = 60s;
constexpr auto stop_wait = 30s;

/// A member of this role must give its password: pg_hba.conf says so once, and needs no reload for a new
/// role.
constexpr const char* password_group = "must_use_password";

/// What ends the server and removes its folder when the test program has closed the pipe, be it by its own
/// death. It reads the process ids that were started, of which the last is alive, and 0 when none is.
constexpr const char* watcher_script = R"(
  running=0
  while read -r pid; do running=$pid; done
  if [ "$running" -gt 0 ] && kill -QUIT "$running"; then
    waited=0
    while kill -0 "$running" && [ "$waited" -lt 50 ]; do sleep 0.1; waited=$((waited + 1)); done
    kill -KILL "$running"
  fi
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$0" && exit 0
    sleep 0.2
  done
  exit 1
)";

/// The folder of the newest PostgreSQL's server programs, or an empty path.
fs::path find_programs() {
  int newest = 0;
  fs::path found;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", absent)) {
    const std::string name = entry.path().filename().string();
    int version = 0;
    std::from_chars(name.data(), name.data() + name.size(), version);
    if (version > newest && fs::exists(entry.path() / "bin" / "initdb")) {
      newest = version;
      found = entry.path() / "bin";
    }
  }
  return found;
}

/// Whom the server runs as.
struct Account {
  uid_t user;
  gid_t group;
};

Account server_account() {
  if (::geteuid() != 0) return {.user = ::geteuid(), .group = ::getegid()};
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* entry = ::getpwnam(name); entry != nullptr) {
      return {.user = entry->pw_uid, .group = entry->pw_gid};
    }
  }
  throw std::runtime_error(
      "neither user postgres nor user nobody exists, and PostgreSQL refuses to run as root");
}

void give_to_server(const fs::path& path) {
  const Account account = server_account();
  if (::chown(path.c_str(), account.user, account.group) != 0)
    throw_errno("cannot give away " + path.string());
}

/// A short path, for a Unix socket's may have 107 bytes; and one that another user can enter.
fs::path create_folder() {
  std::string pattern = ::geteuid() == 0 ? "/tmp/nerve-postgres-XXXXXX"
                                         : (fs::temp_directory_path() / "nerve-postgres-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw_errno("cannot create " + pattern);
  give_to_server(pattern);
  return pattern;
}

int find_free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) throw_errno("cannot create a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool found = ::bind(probe, generic, size) == 0 && ::getsockname(probe, generic, &size) == 0;
  ::close(probe);
  if (!found) throw_errno("cannot find a free port");
  return ntohs(address.sin_port);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string encoded;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (std::isalnum(byte) != 0 || character == '-' || character == '_' || character == '.') {
      encoded += character;
    } else {
      encoded += {'%', hex[byte >> 4U], hex[byte & 0xFU]};
    }
  }
  return encoded;
}

std::string quote_setting(std::string_view value) {
  std::string quoted = "'";
  for (const char character : value) quoted += character == '\'' ? "''" : std::string(1, character);
  return quoted + "'";
}

std::string read_end(const fs::path& path) {
  constexpr std::size_t length_max = 2000;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream whole;
  whole << file.rdbuf();
  std::string text = whole.str();
  return text.size() <= length_max ? text : text.substr(text.size() - length_max);
}

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
  void operator()(char* text) const { PQfreemem(text); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Result = std::unique_ptr<PGresult, Finish>;

Connection connect(const std::string& url) {
  Connection connection(PQconnectdb(url.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  // Notices would stand between the lines of the test's report.
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  return connection;
}

Result run(PGconn* connection, const std::string& sql) {
  Result result(PQexec(connection, sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQresultErrorMessage(result.get()));
  }
  return result;
}

using Quote = char* (*)(PGconn*, const char*, std::size_t);

std::string quote(PGconn* connection, Quote escape, std::string_view text) {
  const std::unique_ptr<char, Finish> quoted(escape(connection, text.data(), text.size()));
  return quoted.get();
}

/// Becomes `account` for good. Runs between fork and exec, so it may only make system calls.
void drop_privileges(const Account& account) {
  if (::geteuid() != 0) return;
  if (::setgroups(1, &account.group) != 0 || ::setgid(account.group) != 0 || ::setuid(account.user) != 0) {
    ::_exit(126);
  }
}

/// Writes a process id and a line feed without allocating, because the caller may be a fork of a threaded
/// program.
void announce(int pipe, pid_t pid) {
  std::array<char, 16> line;
  char* end = std::to_chars(line.data(), line.data() + line.size() - 1, pid).ptr;
  *end++ = '\n';
  if (::write(pipe, line.data(), static_cast<std::size_t>(end - line.data())) < 0) ::_exit(126);
}

/// Waits for a child's end for at most `limit`.
bool wait_for(pid_t child, std::chrono::milliseconds limit, int* status = nullptr) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (::waitpid(child, status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

}  // namespace

PostgresServer::PostgresServer(PostgresOptions options)
    : options_(std::move(options)), programs_(find_programs()) {
  if (programs_.empty()) {
    throw std::runtime_error(
        "PostgreSQL is not installed. Install the package postgresql, or set NERVE_POSTGRES=optional to "
        "leave out "
        "the tests that need it.");
  }
  folder_ = create_folder();
  start_watcher();
  try {
    if (options_.listen_on_tcp) port_ = find_free_port();
    create_cluster();
    start();
    execute(std::string("CREATE ROLE ") + password_group);
  } catch (...) {
    end_watcher();
    throw;
  }
}

PostgresServer::~PostgresServer() {
  try {
    stop();
  } catch (const std::exception&) {
    // The watcher ends what did not stop by itself.
  }
  end_watcher();
}

bool PostgresServer::is_waived() {
  const char* word = std::getenv("NERVE_POSTGRES");
  return word != nullptr && std::string_view(word) == "optional" && find_programs().empty();
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

void PostgresServer::start_watcher() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot create a pipe");
  watcher_ = ::fork();
  if (watcher_ < 0) throw_errno("cannot start a watcher");
  if (watcher_ == 0) {
    // Its own session keeps it from the terminal's Ctrl-C, and from whoever ends the test's process group.
    ::setsid();
    ::dup2(ends[0], STDIN_FILENO);
    const int null_device = ::open("/dev/null", O_WRONLY);
    ::dup2(null_device, STDOUT_FILENO);
    ::dup2(null_device, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execl("/bin/sh", "sh", "-c", watcher_script, folder_.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[0]);
  watcher_pipe_ = ends[1];
}

void PostgresServer::end_watcher() {
  if (life_pipe_ >= 0) ::close(life_pipe_);
  ::close(watcher_pipe_);
  ::waitpid(watcher_, nullptr, 0);
}

pid_t PostgresServer::launch(const std::string& program, std::vector<std::string> arguments) {
  const std::string path = (programs_ / program).string();
  const std::string log = (folder_ / "server.log").string();
  std::array<const char*, 4> environment{"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", "TZ=UTC", nullptr};
  std::vector<char*> pointers{const_cast<char*>(path.c_str())};
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const Account account = server_account();

  std::array<int, 2> life{-1, -1};
  if (::pipe2(life.data(), O_CLOEXEC) != 0) throw_errno("cannot create a pipe");
  const pid_t child = ::fork();
  if (child < 0) throw_errno("cannot start " + path);
  if (child > 0) {
    ::close(life[1]);
    if (life_pipe_ >= 0) ::close(life_pipe_);
    life_pipe_ = life[0];
    return child;
  }
  // The child tells the watcher its own number before it becomes the server: there is no moment at which a
  // server runs that the watcher does not know of.
  announce(watcher_pipe_, ::getpid());
  drop_privileges(account);
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int input = ::open("/dev/null", O_RDONLY);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  constexpr int life_descriptor = STDERR_FILENO + 1;
  if (::dup2(life[1], life_descriptor) < 0 || ::fcntl(life_descriptor, F_SETFD, 0) != 0) ::_exit(126);
  ::close_range(life_descriptor + 1, ~0U, 0);
  if (::chdir(folder_.c_str()) != 0) ::_exit(126);
  ::execve(path.c_str(), pointers.data(), const_cast<char**>(environment.data()));
  ::_exit(127);
}

void PostgresServer::create_cluster() {
  std::vector<std::string> arguments = {"--pgdata=data",    "--username=postgres", "--encoding=UTF8",
                                        "--locale=C.UTF-8", "--auth=trust",        "--no-sync",
                                        "--no-instructions"};
  if (options_.use_checksums) arguments.emplace_back("--data-checksums");
  const pid_t initdb = launch("initdb", std::move(arguments));
  int status = 0;
  if (!wait_for(initdb, start_wait, &status)) {
    ::kill(initdb, SIGKILL);
    ::waitpid(initdb, &status, 0);
  }
  announce(watcher_pipe_, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("initdb failed");
  write_settings();
}

void PostgresServer::write_settings() const {
  std::map<std::string, std::string> settings{
      {"listen_addresses", options_.listen_on_tcp ? "127.0.0.1" : ""},
      {"port", std::to_string(port_)},
      {"unix_socket_directories", folder_.string()},
      {"shared_memory_type", "mmap"},
      {"dynamic_shared_memory_type", "mmap"},
      {"shared_buffers", "16MB"},
      {"fsync", "off"},
      {"full_page_writes", "off"},
      {"synchronous_commit", "on"},
      {"password_encryption", "scram-sha-256"},
      {"timezone", "Asia/Kathmandu"},
  };
  if (options_.use_tls) {
    write_tls_certificate(folder_ / "server.crt", folder_ / "server.key");
    give_to_server(folder_ / "server.crt");
    give_to_server(folder_ / "server.key");
    settings["ssl"] = "on";
    settings["ssl_cert_file"] = folder_ / "server.crt";
    settings["ssl_key_file"] = folder_ / "server.key";
  }
  for (const auto& [name, value] : options_.settings) settings[name] = value;
  std::ofstream configuration(folder_ / "data" / "postgresql.conf", std::ios::app);
  for (const auto& [name, value] : settings) configuration << name << " = " << quote_setting(value) << '\n';

  std::ofstream access(folder_ / "data" / "pg_hba.conf", std::ios::trunc);
  access << "local all +" << password_group << " scram-sha-256\n"
         << "local all all trust\n"
         << "local replication all trust\n"
         << "host all all 127.0.0.1/32 scram-sha-256\n";
  if (!configuration.flush() || !access.flush()) fail("cannot write the server's settings");
}

void PostgresServer::start() {
  if (server_ > 0) return;
  server_ = launch("postgres", {"-D", "data"});
  wait_until_ready();
}

bool PostgresServer::has_ended() {
  if (server_ > 0 && ::waitpid(server_, nullptr, WNOHANG) == 0) return false;
  server_ = -1;
  return true;
}

void PostgresServer::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + start_wait;
  const std::string own_url = url();
  while (PQping(own_url.c_str()) != PQPING_OK) {
    if (has_ended()) fail("the PostgreSQL server ended at its start");
    if (std::chrono::steady_clock::now() >= deadline) fail("the PostgreSQL server does not answer");
    std::this_thread::sleep_for(10ms);
  }
}

void PostgresServer::stop() {
  if (server_ <= 0) return;
  for (const int signal : {SIGINT, SIGQUIT, SIGKILL}) {
    ::kill(server_, signal);
    if (wait_for(server_, stop_wait)) break;
  }
  server_ = -1;
  announce(watcher_pipe_, 0);
}

void PostgresServer::kill() {
  if (server_ <= 0) return;
  ::kill(server_, SIGKILL);
  ::waitpid(server_, nullptr, 0);
  server_ = -1;
  wait_for_processes();
  announce(watcher_pipe_, 0);
}

/// A new server refuses to start while the shared memory of the old one is in use.
void PostgresServer::wait_for_processes() {
  pollfd life{.fd = life_pipe_, .events = POLLIN, .revents = 0};
  constexpr auto limit = std::chrono::milliseconds(stop_wait);
  if (::poll(&life, 1, static_cast<int>(limit.count())) != 1) fail("processes of a killed server go on");
}

void PostgresServer::restart() {
  stop();
  start();
}

std::string PostgresServer::url(std::string_view database) const {
  return "postgresql://postgres@/" + percent_encode(database) + "?host=" + percent_encode(folder_.string()) +
         "&port=" + std::to_string(port_);
}

std::string PostgresServer::tcp_url(std::string_view role, std::string_view database) const {
  return "postgresql://" + percent_encode(role) + "@127.0.0.1:" + std::to_string(port_) + "/" +
         percent_encode(database);
}

std::string PostgresServer::create_database(std::string_view name) {
  const Connection connection = connect(url());
  run(connection.get(), "CREATE DATABASE " + quote(connection.get(), PQescapeIdentifier, name));
  return url(name);
}

std::string PostgresServer::create_owned_database(std::string_view name) {
  const Connection connection = connect(url());
  run(connection.get(),
      "DO $$ BEGIN CREATE ROLE owner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  run(connection.get(),
      "CREATE DATABASE " + quote(connection.get(), PQescapeIdentifier, name) + " OWNER owner");
  std::string own = url(name);
  constexpr std::string_view superuser = "postgres@";
  return own.replace(own.find(superuser), superuser.size(), "owner@");
}

void PostgresServer::create_password_role(std::string_view name, std::string_view password) {
  const Connection connection = connect(url());
  run(connection.get(), "CREATE ROLE " + quote(connection.get(), PQescapeIdentifier, name) +
                            " LOGIN PASSWORD " + quote(connection.get(), PQescapeLiteral, password) +
                            " IN ROLE " + password_group);
}

void PostgresServer::execute(std::string_view sql, std::string_view database) {
  run(connect(url(database)).get(), std::string(sql));
}

std::string PostgresServer::query_text(std::string_view sql, std::string_view database) {
  const Connection connection = connect(url(database));
  const Result result = run(connection.get(), std::string(sql));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

int PostgresServer::kill_backends() {
  // The second argument makes each call wait, in milliseconds, until the process is gone.
  return std::stoi(
      query_text("SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
                 "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"));
}

void PostgresServer::fail(const std::string& what) const {
  throw std::runtime_error(what + "; its log ends with:\n" + read_end(folder_ / "server.log"));
}

}  // namespace nerve::test
