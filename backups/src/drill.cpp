// SPDX-License-Identifier: Apache-2.0
#include "nerve/backups/drill.h"

#include "database_facts.h"
#include "durable_file.h"
#include "file_lock.h"
#include "layout.h"
#include "partial_backup.h"
#include "table_rows.h"

#include "nerve/backends/sqlite/content.h"
#include "nerve/backends/sqlite/inspection.h"
#include "nerve/backends/sqlite/session.h"
#include "nerve/backends/sqlite/virtual_tables.h"
#include "nerve/backups/restore.h"
#include "nerve/backups/verification.h"
#include "nerve/core/error.h"
#include "nerve/core/shell.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace nerve::backups {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// And of the file beside it that a restore writes first.
constexpr std::string_view file_prefix = "nerve-drill-";
constexpr std::uint64_t ms_per_second = 1000;

bool is_ours(const std::string& name) {
  return name.starts_with(file_prefix) || name.starts_with(fmt::format(".{}", file_prefix));
}

void remove_ours(const std::filesystem::path& folder) {
  for (const std::string& name : file_names(folder)) {
    if (is_ours(name)) remove_if_there(folder / name);
  }
}

std::chrono::milliseconds since(SteadyClock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - begin);
}

void look_into(const std::filesystem::path& path, const Manifest& manifest, DrillReport& report,
               ProgressSink* progress) {
  sqlite::SessionOptions options;
  options.mode = sqlite::OpenMode::immutable;
  sqlite::Session database(path, options);
  sqlite::Damage damage = sqlite::integrity_check(database, progress);
  report.unchecked = std::move(damage.unchecked);
  if (damage.is_found()) {
    report.problems.push_back(fmt::format("the restored database is damaged: {}", damage.describe()));
    return;
  }
  const std::vector<TableRows> tables = table_rows(database, progress);
  for (const TableRows& table : tables) report.rows += table.rows;
  if (manifest.rows_total()) {
    for (std::string& difference : compare_rows(manifest, tables)) {
      report.problems.push_back(std::move(difference));
    }
  }
  add_virtual_tables(sqlite::check_virtual_tables(database, sqlite::VirtualTableCheck::whole, progress),
                     report.unchecked);
  report.foreign_key_violations = sqlite::check_foreign_keys(database, progress).total();
  report.content_sha256 = sqlite::combine_digests(sqlite::digest_content(database, progress));
}

/// The restore itself noted a proof before the look into what it made. A repository that may only be read
/// keeps what it has.
void withdraw_proof(const Repository& repository, const BackupId& id) {
  try {
    remove_if_there(repository.folder_of(id) / verification_file_name);
    sync_folder(repository.folder_of(id));
  } catch (const DeniedError&) {
    return;
  }
}

[[noreturn]] void throw_no_folder(const std::filesystem::path& path, std::string_view what) {
  throw ConflictError(fmt::format("the scratch folder {} is {}", path.string(), what),
                      "Name an empty folder, or one that is not there yet, with --scratch.");
}

/// So that nothing but a folder is opened: a FIFO would be waited for, and a link may lead anywhere.
void require_folder(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  if (std::filesystem::is_directory(status)) return;
  if (std::filesystem::is_symlink(status)) throw_no_folder(path, "a symbolic link");
  if (std::filesystem::exists(status)) throw_no_folder(path, "no folder");
}

/// Others could put a link in the place of the database, or take its folder away.
void require_nobody_else_writes(const Descriptor& folder, const std::filesystem::path& path) {
  struct ::stat status {};
  if (::fstat(folder.number(), &status) != 0) throw_system_error(errno, "cannot look at", path);
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    throw DeniedError(fmt::format("the scratch folder {} belongs to another user", path.string()),
                      "Name a folder of your own, or one that is not there yet, with --scratch.");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return;
  throw DeniedError(
      fmt::format("others may write to the scratch folder {}", path.string()),
      fmt::format("Let only its owner: chmod 700 {}. Or name another with --scratch, such as one that is not "
                  "there yet.",
                  shell_word(path.string())));
}

Descriptor open_drill_folder(const std::filesystem::path& path) {
  require_folder(path);
  Descriptor folder = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  require_nobody_else_writes(folder, path);
  return folder;
}

/// Without a "/" at its end, behind which a link would be followed.
std::filesystem::path folder_path(const std::filesystem::path& path) {
  std::filesystem::path absolute = std::filesystem::absolute(path).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

}  // namespace

void require_drill_folder(const std::filesystem::path& path) {
  open_drill_folder(folder_path(path));
}

struct DrillFolder::Lock {
  Descriptor folder;
};

DrillFolder::DrillFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "nerve-drill-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw_system_error(errno, "cannot make the folder", name);
  path_ = name;
  is_made_ = true;
  take();
}

DrillFolder::DrillFolder(const std::filesystem::path& path) : path_(folder_path(path)), is_named_(true) {
  if (::mkdir(path_.c_str(), 0700) == 0) {
    is_made_ = true;
  } else if (errno != EEXIST) {
    throw_system_error(errno, "cannot make the folder", path_);
  }
  take();
}

void DrillFolder::take() {
  lock_ = std::make_unique<Lock>(Lock{open_drill_folder(path_)});
  if (!try_lock_exclusive(lock_->folder, path_)) {
    throw ConflictError(fmt::format("another drill is at work in {}", path_.string()),
                        "Wait until it is done, or name another folder with --scratch.");
  }
  remove_ours(path_);
  const std::vector<std::string> names = file_names(path_);
  if (names.empty()) return;
  throw ConflictError(
      fmt::format("the scratch folder {} holds other files, such as {}", path_.string(), names.front()),
      "Name an empty folder, or one that is not there yet, with --scratch.");
}

DrillFolder::~DrillFolder() {
  try {
    if (lock_) remove_ours(path_);
  } catch (const Error&) {
    return;  // the next drill there removes it
  }
  if (is_made_) ::rmdir(path_.c_str());
}

std::uint64_t DrillReport::bytes_per_second() const noexcept {
  const auto ms = static_cast<std::uint64_t>(restoring.count());
  return ms == 0 ? 0 : size_bytes * ms_per_second / ms;
}

Json DrillReport::to_json() const {
  const bool is_known = !content_sha256.empty();
  return {{"id", id.to_string()},
          {"source", source},
          {"created_at", created_at.to_text()},
          {"ok", ok()},
          {"problems", problems},
          {"unchecked", unchecked},
          {"size_bytes", size_bytes},
          {"restore_ms", restoring.count()},
          {"check_ms", checking.count()},
          {"bytes_per_second", bytes_per_second()},
          {"rows", is_known ? Json(rows) : Json()},
          {"foreign_key_violations", is_known ? Json(foreign_key_violations) : Json()},
          {"content_sha256", is_known ? Json(content_sha256) : Json()}};
}

DrillReport drill_backup(const Repository& repository, const Manifest& manifest, const DrillFolder& folder,
                         const DrillOptions& options, const Clock& clock, ProgressSink* progress) {
  if (manifest.is_encrypted() && !folder.is_named()) {
    throw ValidationError(
        fmt::format(
            "backup {} is encrypted: a drill writes its database to a file, and no folder is named for "
            "that",
            manifest.id.short_text()),
        "Name one with --scratch on a device that you trust with its content, such as /dev/shm/drill.");
  }
  const RepositoryLock lock = RepositoryLock::shared(repository);
  DrillReport report;
  report.id = manifest.id;
  report.source = manifest.source.path;
  report.created_at = manifest.created_at;
  report.size_bytes = manifest.database_bytes();
  const std::filesystem::path file =
      folder.path() / fmt::format("{}{}.db", file_prefix, manifest.id.to_string());
  SteadyClock::time_point begin = SteadyClock::now();
  try {
    restore_backup(repository, manifest, {file, RestoreTarget::Mode::new_file},
                   {.key = options.key, .examine = options.examine}, clock, progress);
    report.restoring = since(begin);
    begin = SteadyClock::now();
    look_into(file, manifest, report, progress);
    report.checking = since(begin);
  } catch (const IntegrityError& error) {
    report.problems.emplace_back(error.what());
  } catch (const NotFoundError& error) {
    report.problems.emplace_back(error.what());
  }
  remove_ours(folder.path());
  if (!report.ok()) withdraw_proof(repository, manifest.id);
  return report;
}

std::optional<Timestamp> last_restore_of(const Repository& repository,
                                         const std::filesystem::path& database) {
  std::optional<Timestamp> last;
  const std::string source = source_name(database);
  for (const Entry& entry : repository.list()) {
    if (!entry.manifest || entry.manifest->source.path != source) continue;
    const std::optional<Verification> note = last_verification(repository, entry.manifest->id);
    if (!note || note->proof != Proof::restore) continue;
    if (!last || *last < note->verified_at) last = note->verified_at;
  }
  return last;
}

}  // namespace nerve::backups
