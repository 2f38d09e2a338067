// SPDX-License-Identifier: Apache-2.0
#include "sqlite/source.h"

#include "sqlite/connection.h"
#include "sqlite/descriptor.h"
#include "sqlite/schema_lock.h"

#include "nerve/backends/sqlite/file.h"
#include "nerve/core/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <utility>

namespace nerve::backends {

namespace {

/// The queue of this process's writers to one file. It is shared by all sources of the file, since they share
/// its lock: that takes one table for the process, keyed by device and inode.
std::shared_ptr<std::timed_mutex> writer_queue_of(const sqlite::FileFacts& facts) {
  static std::mutex mutex;
  static std::map<std::pair<dev_t, ino_t>, std::weak_ptr<std::timed_mutex>> queues;
  const std::lock_guard lock(mutex);
  std::erase_if(queues, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = queues[{facts.device, facts.inode}];
  auto queue = entry.lock();
  if (!queue) entry = queue = std::make_shared<std::timed_mutex>();
  return queue;
}

/// Made before SQLite would make it, because SQLite leaves the mode to the umask; -wal and -shm follow the
/// main file.
void make_file(const std::filesystem::path& path) {
  constexpr mode_t owner_only = 0600;
  const sqlite::SqliteFilesPause pause;
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, owner_only);
  if (descriptor >= 0) {
    ::close(descriptor);
    return;
  }
  if (errno == EEXIST) return;
  throw DeniedError("cannot make " + path.string() + ": " + std::strerror(errno),
                    "Make its folder, give it to this user, or name another place.");
}

class SqliteSource final : public db::ConnectionSource {
 public:
  SqliteSource(const sqlite::FileFacts& facts, OpenOptions options)
      : path_(facts.path),
        name_(facts.path.string()),
        options_(std::move(options)),
        queue_(writer_queue_of(facts)) {}

  std::unique_ptr<db::Connection> connect() override {
    return std::make_unique<SqliteConnection>(path_, options_);
  }
  db::Dialect dialect() const noexcept override { return db::Dialect::sqlite; }
  const std::string& name() const noexcept override { return name_; }
  std::shared_ptr<std::timed_mutex> writer_queue() const override { return queue_; }
  std::unique_ptr<db::SchemaLock> lock_schema(std::chrono::milliseconds wait) override {
    return lock_folder(path_, wait);
  }

 private:
  std::filesystem::path path_;
  std::string name_;
  OpenOptions options_;
  std::shared_ptr<std::timed_mutex> queue_;
};

/// Nobody else can see the database, so its lock is always had.
class OwnLock final : public db::SchemaLock {
 public:
  void require_held() override {}
};

class MemorySource final : public db::ConnectionSource {
 public:
  std::unique_ptr<db::Connection> connect() override {
    OpenOptions options;
    options.wal = false;
    return std::make_unique<SqliteConnection>(std::filesystem::path(in_memory), options);
  }
  db::Dialect dialect() const noexcept override { return db::Dialect::sqlite; }
  const std::string& name() const noexcept override { return name_; }
  std::shared_ptr<std::timed_mutex> writer_queue() const override { return nullptr; }
  std::unique_ptr<db::SchemaLock> lock_schema(std::chrono::milliseconds /*wait*/) override {
    return std::make_unique<OwnLock>();
  }

 private:
  std::string name_ = "a scratch database";
};

}  // namespace

std::unique_ptr<db::ConnectionSource> make_memory_source() {
  return std::make_unique<MemorySource>();
}

std::unique_ptr<db::ConnectionSource> make_sqlite_source(const std::filesystem::path& path,
                                                         const OpenOptions& options) {
  if (options.create && !options.read_only) make_file(path);
  const sqlite::FileFacts facts = sqlite::read_file_facts(path);
  sqlite::require_database(facts);
  return std::make_unique<SqliteSource>(facts, options);
}

}  // namespace nerve::backends
