// SPDX-License-Identifier: Apache-2.0
#include "backups/child_process.h"

#include "backups/scratch_database.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

namespace nerve::test {
namespace {

constexpr ::uid_t nobody = 65534;

}  // namespace

ChildProcess::ChildProcess(const std::function<void()>& work) {
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int code = 0;
  try {
    work();
  } catch (...) {
    code = 1;
  }
  ::_exit(code);
}

ChildProcess::~ChildProcess() {
  kill_and_wait();
}

void ChildProcess::kill_and_wait() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

bool ChildProcess::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void run_sql_and_die(const std::filesystem::path& database, const std::string& sql) {
  ChildProcess child([&] {
    PlainSqlite connection(database);
    connection.run(sql);
    ::_exit(0);
  });
  if (!child.wait()) throw std::runtime_error("the child process failed");
}

IdleHolder::IdleHolder(const std::filesystem::path& path)
    : child_([path] {
        if (::open(path.c_str(), O_RDWR | O_CLOEXEC) < 0) throw std::runtime_error("cannot open");
        for (;;) ::pause();
      }) {
  const std::string folder = "/proc/" + std::to_string(child_.pid()) + "/fd";
  for (int attempt = 0; attempt < 2000; ++attempt) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (std::filesystem::read_symlink(entry, ignored) == path) return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw std::runtime_error("the holder does not open the file");
}

bool WithoutRights::is_possible() noexcept {
  return ::geteuid() == 0;
}

WithoutRights::WithoutRights() {
  if (::setresuid(nobody, nobody, 0) != 0) throw std::runtime_error("cannot lower the rights");
}

WithoutRights::~WithoutRights() {
  if (::setresuid(0, 0, 0) != 0) std::terminate();
}

}  // namespace nerve::test
