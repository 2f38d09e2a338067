// SPDX-License-Identifier: Apache-2.0
#include "support/pooler.h"

#include "support/system_error.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace nerve::test {

namespace {

constexpr const char* pooler_program = "/usr/sbin/pgbouncer";

/// Of whoever owns the server's folder: the same unprivileged account.
std::vector<std::string> pooler_command(const passwd* account, const std::string& settings) {
  std::vector<std::string> command;
  if (account != nullptr) {
    command = {"setpriv", "--reuid=" + std::to_string(account->pw_uid),
               "--regid=" + std::to_string(account->pw_gid), "--clear-groups", "--pdeathsig=KILL"};
  }
  command.insert(command.end(), {pooler_program, "-q", settings});
  return command;
}

}  // namespace

bool Pooler::is_installed() {
  return ::access(pooler_program, X_OK) == 0;
}

Pooler::Pooler(const PostgresServer& server, StartupOptions options) {
  std::string pattern = "/tmp/nerve-pooler-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw_errno("cannot create " + pattern);
  folder_ = pattern;
  const std::string settings = folder_ / "pgbouncer.ini";
  std::ofstream(settings)
      << "[databases]\n* = host=" << server.socket_folder().string() << " port=" << server.port()
      << "\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 1\nauth_type = trust\n"
      << "auth_file = " << (folder_ / "users").string() << "\nunix_socket_dir = " << folder_.string()
      << "\nlisten_port = 6432\nlogfile = " << (folder_ / "log").string() << '\n'
      << (options == StartupOptions::ignored ? "ignore_startup_parameters = options\n" : "");
  std::ofstream(folder_ / "users") << "\"postgres\" \"\"\n\"owner\" \"\"\n\"app\" \"\"\n";
  const passwd* account = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
  if (::geteuid() == 0) {
    if (account == nullptr) account = ::getpwnam("nobody");
    for (const auto& path : {folder_, folder_ / "users", folder_ / "pgbouncer.ini"}) {
      if (::chown(path.c_str(), account->pw_uid, account->pw_gid) != 0) throw_errno("cannot give away");
    }
  }
  process_.emplace(pooler_command(account, settings));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (PQping(url("postgres").c_str()) != PQPING_OK) {
    if (std::chrono::steady_clock::now() >= deadline) throw std::runtime_error("pgbouncer does not answer");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Pooler::~Pooler() {
  process_.reset();
  std::error_code failed;
  std::filesystem::remove_all(folder_, failed);
}

std::string Pooler::url(std::string_view database, std::string_view role) const {
  return "postgresql://" + std::string(role) + "@/" + std::string(database) + "?host=" + folder_.string() +
         "&port=6432";
}

}  // namespace nerve::test
