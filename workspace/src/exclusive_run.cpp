// SPDX-License-Identifier: Apache-2.0
#include "exclusive_run.h"

#include "settings_file.h"

#include "nerve/core/error.h"
#include "nerve/db/dialect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace nerve::workspace {

namespace {

/// Among the advisory locks of a database: "nervejob" in ASCII.
constexpr std::int64_t lock_number = 7954890169653030754;

[[noreturn]] void throw_busy(const std::filesystem::path& folder) {
  throw Error(ErrorKind::unavailable, fmt::format("another process runs jobs in {}", folder.string()),
              "Wait until it ends; nothing has to be unlocked by hand.");
}

class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / settings_name;
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) {
      throw DeniedError(fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)),
                        "Give this user the right to read it.");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    const int reason = errno;
    ::close(descriptor_);
    if (reason == EWOULDBLOCK) throw_busy(folder);
    throw UnsupportedError(fmt::format("cannot lock {}: {}", file.string(), std::strerror(reason)),
                           "Put the workspace on a local disk.");
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { ::close(descriptor_); }

 private:
  int descriptor_ = -1;
};

/// The work needs a connection besides the one that keeps the lock. Where a pool has no other, it would wait
/// for it, and everybody else for the one that it has.
void require_another_connection(db::Database& core) {
  try {
    core.read([](db::Transaction& transaction) { transaction.one<int>("SELECT 1"); });
  } catch (const ConnectionError& error) {
    throw Error(
        ErrorKind::unavailable, error.what(),
        "Jobs need two connections at once, one of which keeps other runs away: raise default_pool_size "
        "and max_db_connections of the proxy, or try again when fewer are in use.");
  }
}

}  // namespace

void run_exclusively(const std::filesystem::path& folder, db::Database& core,
                     const std::function<void()>& work) {
  const FileLock lock(folder);
  if (core.dialect() == db::Dialect::sqlite) {
    work();
    return;
  }
  // The lock is that of a transaction which does nothing else, so it holds up nobody, and a proxy cannot hand
  // it on.
  core.write([&](db::Transaction& transaction) {
    transaction.one<std::string>(
        "SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)");
    const std::string sql = fmt::format("SELECT {}", db::try_lock_expression(transaction.dialect()));
    if (!transaction.one<bool>(sql, {{"lock", lock_number}})) throw_busy(folder);
    require_another_connection(core);
    work();
  });
}

}  // namespace nerve::workspace
