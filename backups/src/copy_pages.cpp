// SPDX-License-Identifier: Apache-2.0
#include "copy_pages.h"

#include "durable_file.h"

#include "nerve/backends/sqlite/errors.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <memory>
#include <string_view>

namespace nerve::backups {
namespace {

constexpr std::string_view phase = "copying the database";
constexpr int all_pages = -1;

struct CloseDatabase {
  void operator()(::sqlite3* database) const noexcept { ::sqlite3_close(database); }
};
using TargetDatabase = std::unique_ptr<::sqlite3, CloseDatabase>;

struct FinishBackup {
  void operator()(::sqlite3_backup* backup) const noexcept { ::sqlite3_backup_finish(backup); }
};
using PageCopy = std::unique_ptr<::sqlite3_backup, FinishBackup>;

/// Errors of a copy are kept by the connection it goes to, also those of reading.
[[noreturn]] void throw_copy_error(int code, ::sqlite3* target, const std::filesystem::path& source_path,
                                   const std::filesystem::path& target_path) {
  const int system_error = ::sqlite3_system_errno(target);
  const bool is_write_error = code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_FSYNC ||
                              code == SQLITE_IOERR_TRUNCATE || code == SQLITE_FULL;
  if (is_write_error && system_error != 0) throw_system_error(system_error, "cannot write", target_path);
  const bool is_of_target = is_write_error || code == SQLITE_CANTOPEN;
  sqlite::throw_sqlite_error(code, "cannot copy the database", is_of_target ? target_path : source_path,
                             sqlite::HolderHint::included);
}

TargetDatabase open_target(const std::filesystem::path& path) {
  // SQLite would make the file with the umask's mode.
  open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  ::sqlite3* raw = nullptr;
  const int opened =
      ::sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
  TargetDatabase target(raw);
  if (opened != SQLITE_OK) sqlite::throw_sqlite_error(opened, "cannot open the copy", path);
  // A copy that is not finished is thrown away, so SQLite need neither journal nor sync it.
  const int configured =
      ::sqlite3_exec(raw, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
  if (configured != SQLITE_OK) sqlite::throw_sqlite_error(configured, "cannot prepare the copy", path);
  return target;
}

}  // namespace

void copy_pages(sqlite::Session& source, const std::filesystem::path& target_path, ProgressSink* progress) {
  if (progress != nullptr) progress->update(phase, 0, source.facts().size_bytes);
  {
    const TargetDatabase target = open_target(target_path);
    PageCopy copy(::sqlite3_backup_init(target.get(), "main", source.handle(), "main"));
    if (!copy) {
      throw_copy_error(::sqlite3_extended_errcode(target.get()), target.get(), source.path(), target_path);
    }
    const int stepped = ::sqlite3_backup_step(copy.get(), all_pages);
    if (stepped != SQLITE_DONE) throw_copy_error(stepped, target.get(), source.path(), target_path);
    const int finished = ::sqlite3_backup_finish(copy.release());
    if (finished != SQLITE_OK) throw_copy_error(finished, target.get(), source.path(), target_path);
  }
  sync_file(target_path);
  if (progress != nullptr) progress->update(phase, source.facts().size_bytes, source.facts().size_bytes);
  throw_if_interrupted();
}

}  // namespace nerve::backups
