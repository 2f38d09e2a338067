// SPDX-License-Identifier: Apache-2.0
#include "sqlite/schema_lock.h"

#include "sqlite/descriptor.h"

#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace nerve::backends {

namespace {

class FolderLock final : public db::SchemaLock {
 public:
  explicit FolderLock(sqlite::Descriptor folder) noexcept : folder_(std::move(folder)) {}

  /// The kernel keeps it until the descriptor is closed.
  void require_held() override {}

 private:
  sqlite::Descriptor folder_;
};

/// " (pid 4711)" where /proc/locks tells who holds the lock; empty elsewhere.
std::string holder_of(const sqlite::Descriptor& folder) {
  struct stat status {};
  if (::fstat(folder.number(), &status) != 0) return {};
  char wanted[64];
  std::snprintf(wanted, sizeof wanted, "%02x:%02x:%lu", major(status.st_dev), minor(status.st_dev),
                static_cast<unsigned long>(status.st_ino));
  std::ifstream locks("/proc/locks");
  // "12: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF"
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, type, advice, access, pid, place;
    if (words >> number >> type >> advice >> access >> pid >> place && type == "FLOCK" && place == wanted) {
      return " (pid " + pid + ")";
    }
  }
  return {};
}

}  // namespace

std::unique_ptr<db::SchemaLock> lock_folder(const std::filesystem::path& database,
                                            std::chrono::milliseconds wait) {
  constexpr std::chrono::milliseconds pause{20};
  const std::filesystem::path path = database.parent_path();
  sqlite::Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    throw DeniedError("cannot open the folder " + path.string() + ": " + std::strerror(errno),
                      "Give this user the right to read the database's folder.");
  }
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (::flock(folder.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      throw UnsupportedError("cannot lock the folder " + path.string() + ": " + std::strerror(errno),
                             "Put the database on a local disk.");
    }
    throw_if_interrupted();
    if (std::chrono::steady_clock::now() >= deadline) {
      throw ConnectionError(
          "the schema of " + database.string() + " is being changed by another process" + holder_of(folder),
          "Wait until it ends, then run the command again; nothing has to be unlocked by hand.");
    }
    std::this_thread::sleep_for(pause);
  }
  return std::make_unique<FolderLock>(std::move(folder));
}

}  // namespace nerve::backends
