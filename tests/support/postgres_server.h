// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nerve::test {

struct PostgresOptions {
  bool listen_on_tcp = false;  ///< also on 127.0.0.1, at a free port; every connection there needs a password
  bool use_tls =
      false;  ///< offer TLS there, with a certificate for 127.0.0.1 that certificate_file() verifies
  bool use_checksums = false;  ///< of data pages
  std::map<std::string, std::string> settings =
      {};  ///< further settings of postgresql.conf, as it spells them
};

/// A PostgreSQL server of the test's own: the newest one installed, with a fresh cluster in a temporary
/// folder, on a Unix socket that nobody else can reach. It and the folder are gone at the end of the object's
/// life, and also when the test program is killed: a watcher process sees to that.
///
/// It never runs as root: a test run by root starts it as user postgres, or nobody where there is no such
/// user. It needs neither /proc nor /sys nor /dev/shm. Its time zone is far from UTC on purpose, so that a
/// client that relies on the server's default is found out. It does not sync to disk; it is not for tests of
/// the server's own durability.
///
/// Every function throws std::runtime_error with the end of the server's log where the server fails.
class PostgresServer {
 public:
  /// Starts the server and returns when it accepts connections. Throws std::runtime_error when PostgreSQL is
  /// not installed.
  explicit PostgresServer(PostgresOptions options = {});
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  /// Whether tests may pass over PostgreSQL: it is not installed, and NERVE_POSTGRES=optional says that this
  /// is fine. Without that word its absence is a failure, so that no automatic run leaves half of the tests
  /// out unseen.
  static bool is_waived();

  /// One server for all tests of a program that need nothing special, started by the first. It is the only
  /// global of its kind because a start takes a second; tests keep apart by databases of their own.
  static PostgresServer& shared();

  /// The URL of a database over the socket, as the superuser "postgres".
  std::string url(std::string_view database = "postgres") const;

  /// The URL of a database over TCP, without a password.
  std::string tcp_url(std::string_view role, std::string_view database = "postgres") const;

  const std::filesystem::path& socket_folder() const noexcept { return folder_; }
  /// Where PostgreSQL's own programs are; the psql of PATH is Debian's, which starts the real one by Perl.
  const std::filesystem::path& programs_folder() const noexcept { return programs_; }
  int port() const noexcept { return port_; }
  /// The certificate that a TLS client takes as its root (sslrootcert).
  std::filesystem::path certificate_file() const { return folder_ / "server.crt"; }

  /// Makes an empty database and returns its URL.
  std::string create_database(std::string_view name);
  /// The same for the role "owner", which owns it and is no superuser; returns the URL of that role.
  std::string create_owned_database(std::string_view name);

  /// Makes a role that must give `password` (SCRAM-SHA-256), also over the socket.
  void create_password_role(std::string_view name, std::string_view password);

  /// Runs one statement, or several without results, as the superuser.
  void execute(std::string_view sql, std::string_view database = "postgres");
  /// The first column of the first row, or an empty text.
  std::string query_text(std::string_view sql, std::string_view database = "postgres");

  /// Ends every client connection but its own, and returns when they are gone. Returns how many there were.
  int kill_backends();

  /// Ends the server as an administrator would; clients lose their connections.
  void stop();
  /// Ends its first process by SIGKILL, and returns when those that it started have noticed and are gone.
  void kill();
  /// Starts it again on the same data, socket and port; after a kill it recovers what was committed.
  void start();
  void restart();

  /// Returns when it accepts connections, such as after the crash of one of its processes.
  void wait_until_ready();

 private:
  void create_cluster();
  void write_settings() const;
  void start_watcher();
  void end_watcher();
  /// Starts a server program as the server's account; what it writes goes to server.log.
  pid_t launch(const std::string& program, std::vector<std::string> arguments);
  bool has_ended();
  void wait_for_processes();
  [[noreturn]] void fail(const std::string& what) const;

  PostgresOptions options_;
  std::filesystem::path programs_;  ///< the folder of initdb and postgres
  std::filesystem::path folder_;
  int port_ = 5432;
  pid_t server_ = -1;
  pid_t watcher_ = -1;
  int watcher_pipe_ = -1;
  int life_pipe_ = -1;  ///< all processes of the server hold its other end
};

}  // namespace nerve::test
