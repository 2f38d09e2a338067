// SPDX-License-Identifier: Apache-2.0
#include "nerve/workspace/initialize.h"

#include "settings_file.h"

#include "nerve/backends/database_url.h"
#include "nerve/core/error.h"
#include "nerve/db/dialect.h"
#include "nerve/migrations/migrator.h"
#include "nerve/workspace/store_identity.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>

namespace nerve::workspace {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view backups_name = "backups";

/// As nerve.toml will say it: a file that was named on the command line begins at the working folder.
std::string normalised(const std::string& url) {
  const DatabaseUrl parsed = parse_database_url(url);
  if (parsed.engine == db::Dialect::sqlite) return fs::absolute(parsed.location).lexically_normal().string();
  // Opening looks at the whole URL, and refuses one with a password before it is written anywhere.
  open_database(url);
  return url;
}

/// Who holds it is the only one that makes this workspace. It ends with the process, however that ends.
class FolderLock {
 public:
  FolderLock(const fs::path& folder, const fs::path& workspace)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) {
    // A process that was killed a moment ago may still be ending.
    for (int tries = 0; descriptor_ >= 0 && tries < tries_max; ++tries) {
      if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
      if (errno != EWOULDBLOCK && errno != EINTR) break;
      std::this_thread::sleep_for(pause);
    }
    const int reason = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    if (reason == EWOULDBLOCK) {
      throw ConflictError(fmt::format("another process makes the workspace {} just now", workspace.string()),
                          "Wait until it is done: `nerve-db status` shows the workspace then.");
    }
    throw DeniedError(fmt::format("cannot lock the folder {}: {}", folder.string(), std::strerror(reason)),
                      "Name a folder that this user may write to.");
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() { ::close(descriptor_); }

 private:
  static constexpr int tries_max = 100;
  static constexpr std::chrono::milliseconds pause{20};

  int descriptor_;
};

class Initialization {
 public:
  explicit Initialization(const NewWorkspace& workspace)
      : wanted_(workspace), folder_(fs::absolute(workspace.folder).lexically_normal()) {
    if (folder_.filename().empty()) folder_ = folder_.parent_path();  // "DIR/"
    result_.folder = folder_;
  }

  Initialized run() {
    refuse_complete();
    choose_urls();
    make_folder(folder_, result_.was_folder_made);
    // Before anything is made there. It is asked again by who is alone.
    if (!is_begun()) require_unused();
    bool ignored = false;
    make_folder(folder_ / backups_name, ignored);
    // The folder itself is what migrations lock.
    const FolderLock lock(folder_ / backups_name, folder_);
    refuse_complete();
    begin();
    for (const Store store : every_store) make_store(store);
    rename_settings(folder_ / unfinished_name, folder_ / settings_name);
    return result_;
  }

 private:
  void refuse_complete() const {
    std::error_code error;
    if (!fs::exists(folder_ / settings_name, error)) return;
    throw ConflictError(fmt::format("{} is a workspace already", folder_.string()),
                        "`nerve-db status` shows it; name another folder for a new one.");
  }

  void choose_urls() {
    if (wanted_.core_url.empty() != wanted_.secure_url.empty()) {
      throw ValidationError("only one of the two stores is named",
                            "Name both, with --core and --secure, or neither.");
    }
    settings_.core_url = wanted_.core_url.empty() ? std::string(core_file) : normalised(wanted_.core_url);
    settings_.secure_url =
        wanted_.secure_url.empty() ? std::string(secure_file) : normalised(wanted_.secure_url);
    if (settings_.core_url == settings_.secure_url) {
      throw ValidationError("both stores are the same database", "Name two databases.");
    }
  }

  static void make_folder(const fs::path& folder, bool& was_made) {
    std::error_code error;
    if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
    constexpr mode_t owner_only = 0700;
    if (::mkdir(folder.c_str(), owner_only) == 0) {
      was_made = true;
      return;
    }
    const int reason = errno;
    if (reason == EEXIST && fs::is_directory(folder, error)) return;
    if (reason == EEXIST || reason == ENOTDIR) {
      throw ConflictError(
          fmt::format("cannot make the folder {}: a file has that name, or that of a folder above it",
                      folder.string()),
          "Name a folder, or one that is not there yet.");
    }
    throw DeniedError(fmt::format("cannot make the folder {}: {}", folder.string(), std::strerror(reason)),
                      "Name a folder that this user may make.");
  }

  /// Takes up what an earlier run began, or begins.
  void begin() {
    const fs::path unfinished = folder_ / unfinished_name;
    if (!is_begun()) {
      require_unused();
      settings_.id = new_uuid();
      write_settings(unfinished, settings_text(settings_));
    } else {
      resume(Config::load(unfinished));
    }
    result_.id = settings_.id;
  }

  void resume(const Config& config) {
    const bool is_same = config.text("database.url") == settings_.core_url &&
                         config.text("database.secure_url") == settings_.secure_url;
    if (!is_same) {
      throw ConflictError(fmt::format("a workspace with other databases was begun in {}", folder_.string()),
                          fmt::format("Name the same databases again, or remove {} and what was made there.",
                                      (folder_ / unfinished_name).string()));
    }
    settings_.id = Uuid::parse(config.text("workspace.id"));
    result_.was_resumed = true;
  }

  std::string url(Store store) const {
    const std::string& text = store == Store::core ? settings_.core_url : settings_.secure_url;
    return is_file(store) ? (folder_ / text).string() : text;
  }
  bool is_file(Store store) const {
    return parse_database_url(store == Store::core ? settings_.core_url : settings_.secure_url).engine ==
           db::Dialect::sqlite;
  }

  bool is_begun() const {
    std::error_code error;
    return fs::exists(folder_ / unfinished_name, error);
  }

  void require_unused() const {
    for (const Store store : every_store) require_unused(store);
  }

  void require_unused(Store store) const {
    std::error_code error;
    if (is_file(store)) {
      if (!fs::exists(url(store), error)) return;
      throw ConflictError(fmt::format("{} is there already", url(store)),
                          "Name another folder, or move the file away.");
    }
    const auto database = open_database(url(store), wanted_.options.open);
    const bool is_used = database->read([](db::Transaction& transaction) {
      return transaction.one<bool>(
          fmt::format("SELECT {}", db::schema_is_used_expression(transaction.dialect())));
    });
    if (!is_used) return;
    throw ConflictError(fmt::format("{} is not empty", database->name()),
                        "Make an empty database for each store.");
  }

  void make_store(Store store) {
    OpenOptions open = wanted_.options.open;
    open.create = true;
    const auto database = open_database(url(store), open);
    require_own(*database, store);
    const migrations::MigrationSet set = wanted_.options.composition.migrations(store);
    migrations::MigratorOptions options;
    options.actor = wanted_.actor;
    options.clock = wanted_.options.clock;
    result_.migrations_applied +=
        migrations::Migrator(*database, set, migrations::Ledger(), options).up().size();
    database->write([&](db::Transaction& transaction) {
      claim_store(transaction,
                  {.workspace_id = settings_.id, .store = store, .created_at = wanted_.options.clock->now()});
    });
    require_own(*database, store);
  }

  /// A store without identity is one that this workspace, or an earlier run for it, is about to make.
  void require_own(db::Database& database, Store store) const {
    const auto identity =
        database.read([](db::Transaction& transaction) { return read_store_identity(transaction); });
    if (!identity || (identity->workspace_id == settings_.id && identity->store == store)) return;
    throw ConflictError(
        fmt::format("{} is a store of another workspace, or the other store", database.name()),
        "Name a database of its own for each store.");
  }

  const NewWorkspace& wanted_;
  fs::path folder_;
  NewSettings settings_;
  Initialized result_;
};

}  // namespace

Initialized initialize(const NewWorkspace& workspace) {
  return Initialization(workspace).run();
}

}  // namespace nerve::workspace
