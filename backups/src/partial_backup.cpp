// SPDX-License-Identifier: Apache-2.0
#include "partial_backup.h"

#include "authentication.h"
#include "catalogue.h"
#include "file_lock.h"
#include "layout.h"
#include "marker.h"
#include "repository_file.h"
#include "repository_folder.h"
#include "witness.h"

#include "nerve/core/bytes.h"
#include "nerve/core/error.h"
#include "nerve/core/interrupt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <vector>

namespace nerve::backups {
namespace {

constexpr std::size_t note_bytes_max = 8192;

void make_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    const int code = errno;
    std::error_code ignored;
    if (code == EEXIST && std::filesystem::is_directory(path, ignored)) return;
    throw_system_error(code, "cannot make the folder", path);
  }
  sync_folder(path.parent_path());
}

void remove_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) throw_system_error(error.value(), "cannot remove", folder);
}

void remove_leftovers(const std::filesystem::path& repository) {
  std::vector<std::filesystem::path> leftovers;
  for (const std::string& name : file_names(repository)) {
    if (name.starts_with(partial_folder_prefix)) leftovers.push_back(repository / name);
  }
  for (const std::filesystem::path& leftover : leftovers) remove_folder(leftover);
}

}  // namespace

RepositoryLock RepositoryLock::shared(const Repository& repository) {
  const std::filesystem::path marker = repository.path() / marker_file_name;
  Descriptor file = open_repository_file(marker, O_RDONLY);
  lock_shared(file, marker);
  return RepositoryLock(std::move(file));
}

RepositoryLock RepositoryLock::exclusive(const Repository& repository) {
  const std::filesystem::path marker = repository.path() / marker_file_name;
  // Opened for writing, because NFS grants an exclusive flock only so.
  Descriptor file = open_repository_file(marker, O_RDWR);
  if (!try_lock_exclusive(file, marker)) {
    throw ConflictError(
        fmt::format("another process works in the backup repository {}", repository.path().string()),
        "Run it again when that one is done.");
  }
  remove_leftovers(repository.path());
  return RepositoryLock(std::move(file));
}

RepositoryLock RepositoryLock::for_writing(const Repository& repository) {
  make_folders(repository.path());
  const std::filesystem::path marker = repository.path() / marker_file_name;
  if (!has_marker(repository.path())) make_marker(repository.path());
  // Opened for writing, because NFS grants an exclusive flock only so.
  Descriptor file = open_repository_file(marker, O_RDWR);
  // Everybody who writes here holds a shared lock, so an exclusive one means that every partial backup is a
  // dead one's.
  if (try_lock_exclusive(file, marker)) remove_leftovers(repository.path());
  lock_shared(file, marker);
  return RepositoryLock(std::move(file));
}

std::filesystem::path existing_folder(std::filesystem::path path) {
  std::error_code error;
  while (path.has_relative_path() && !std::filesystem::exists(path, error)) path = path.parent_path();
  return path;
}

void require_writable(const Repository& repository) {
  const std::filesystem::path folder = existing_folder(repository.path());
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
  const int code = errno;
  if (code != EACCES && code != EROFS && code != EPERM) throw_system_error(code, "cannot write to", folder);
  throw DeniedError(fmt::format("the backup repository {} cannot be written: {}", repository.path().string(),
                                std::system_category().message(code)),
                    "Name a folder that you may write with --repo.");
}

void write_note(const Repository& repository, const BackupId& id, std::string_view name,
                std::string_view text) {
  write_note(RepositoryLock::shared(repository), repository, id, name, text);
}

// While the lock is held, nobody takes the partial file for what a dead process left.
void write_note(const RepositoryLock& /*held*/, const Repository& repository, const BackupId& id,
                std::string_view name, std::string_view text) {
  const std::filesystem::path partial =
      repository.path() / fmt::format("{}{}-{}-{}", partial_folder_prefix, name, id.to_string(), ::getpid());
  remove_repository_file(partial);
  try {
    write_new_file(partial, text);
    rename_durably(partial, repository.folder_of(id) / name);
  } catch (const Error&) {
    ::unlink(partial.c_str());
    throw;
  }
}

void make_folders(const std::filesystem::path& path) {
  const std::filesystem::path existing = existing_folder(path);
  std::filesystem::path folder = existing;
  for (const std::filesystem::path& part : path.lexically_relative(existing)) {
    if (part != ".") make_folder(folder /= part);
  }
}

void replace_unsynced(const std::filesystem::path& repository, const std::filesystem::path& path,
                      std::string_view text) {
  const std::filesystem::path partial =
      repository / fmt::format("{}{}-{}", partial_folder_prefix, path.filename().string(), ::getpid());
  remove_if_there(partial);
  try {
    const Descriptor file = open_repository_file(partial, O_WRONLY | O_CREAT | O_EXCL, 0600);
    write_bytes(file, as_bytes(text), partial);
    if (::rename(partial.c_str(), path.c_str()) != 0) throw_system_error(errno, "cannot rename to", path);
  } catch (const Error&) {
    ::unlink(partial.c_str());
    throw;
  }
}

PartialBackup::PartialBackup(const Repository& repository, const BackupId& id)
    : repository_(repository),
      lock_(RepositoryLock::for_writing(repository)),
      folder_(repository.path() / fmt::format("{}{}", partial_folder_prefix, id.to_string())),
      final_folder_(repository.folder_of(id)) {
  if (::mkdir(folder_.c_str(), 0700) != 0) throw_system_error(errno, "cannot make the folder", folder_);
}

PartialBackup::~PartialBackup() {
  // What cannot be removed now is removed by the next backup.
  std::error_code ignored;
  if (!is_published_) std::filesystem::remove_all(folder_, ignored);
}

PartialReplacement::PartialReplacement(const Repository& repository, const BackupId& id)
    : keyring_(repository.keyring()),
      folder_(repository.path() / fmt::format("{}{}", partial_folder_prefix, id.to_string())),
      final_folder_(repository.folder_of(id)) {
  if (::mkdir(folder_.c_str(), 0700) != 0) throw_system_error(errno, "cannot make the folder", folder_);
}

PartialReplacement::~PartialReplacement() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PartialReplacement::put_in_place(Manifest manifest, CatalogueWriter& catalogue, const Timestamp& now) {
  authenticate(manifest, keyring_);
  write_new_file(file(manifest_file_name), manifest_text(manifest));
  for (const std::string_view name : {hold_file_name, verification_file_name}) {
    std::optional<std::string> note;
    try {
      note = read_small_file(final_folder_ / name, note_bytes_max);
    } catch (const NotFoundError&) {
      continue;  // it is not held, or was not verified
    }
    write_new_file(file(name), *note);
  }
  sync_folder(folder_);
  catalogue.append(catalogue_line(CatalogueEvent::storing, manifest, now));
  if (::renameat2(AT_FDCWD, folder_.c_str(), AT_FDCWD, final_folder_.c_str(), RENAME_EXCHANGE) != 0) {
    throw_system_error(errno, "cannot exchange the folder", final_folder_);
  }
  sync_folder(final_folder_.parent_path());
  catalogue.append(catalogue_line(CatalogueEvent::stored, manifest, now));
}

void PartialBackup::publish(Manifest& manifest, const Clock& clock, std::int64_t sequence_before) {
  throw_if_interrupted();
  CatalogueWriter catalogue(repository_);
  const std::int64_t highest = highest_sequence(repository_, catalogue.catalogue());
  manifest.sequence = successor_of(std::max(highest, sequence_before), repository_.path());
  manifest.duration_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - manifest.created_at).count();
  put_in_place(manifest, clock, catalogue);
}

void PartialBackup::publish_as_it_is(Manifest& manifest, const Clock& clock) {
  throw_if_interrupted();
  CatalogueWriter catalogue(repository_);
  put_in_place(manifest, clock, catalogue);
}

void PartialBackup::put_in_place(Manifest& manifest, const Clock& clock, CatalogueWriter& catalogue) {
  authenticate(manifest, repository_.keyring());
  write_new_file(file(manifest_file_name), manifest_text(manifest));
  sync_folder(folder_);
  catalogue.append(catalogue_line(CatalogueEvent::storing, manifest, clock.now()));
  try {
    rename_durably(folder_, final_folder_);
    catalogue.append(catalogue_line(CatalogueEvent::stored, manifest, clock.now()));
  } catch (const Error&) {
    // When only the sync failed, the backup would come and go with the next crash, and one that is not in the
    // catalogue could go unseen: take its name away again.
    std::error_code ignored;
    std::filesystem::rename(final_folder_, folder_, ignored);
    throw;
  }
  is_published_ = true;
  remember(repository_, catalogue.catalogue(), &manifest);
}

}  // namespace nerve::backups
