// SPDX-License-Identifier: Apache-2.0
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"
#include "repository_file.h"

#include "nerve/backups/retention.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <nlohmann/json.hpp>

namespace nerve::backups {
namespace {

constexpr std::int64_t hold_format = 1;
constexpr std::size_t hold_bytes_max = 8192;
constexpr std::size_t reason_bytes_max = 1024;

std::filesystem::path hold_path(const Repository& repository, const BackupId& id) {
  return repository.folder_of(id) / hold_file_name;
}

}  // namespace

void hold_backup(const Repository& repository, const BackupId& id, std::string_view reason,
                 const Clock& clock) {
  if (reason.size() > reason_bytes_max)
    throw ValidationError("the reason is longer than 1,024 bytes", "Shorten it.");
  if (!is_valid_utf8(reason)) throw ValidationError("the reason is not valid UTF-8", "Write it in UTF-8.");
  const Json document = {{"format", hold_format},
                         {"backup", id.to_string()},
                         {"held_at", clock.now().to_text()},
                         {"reason", reason}};
  write_note(repository, id, hold_file_name, document.dump(2) + "\n");
}

bool release_backup(const Repository& repository, const BackupId& id) {
  const RepositoryLock lock = RepositoryLock::shared(repository);
  if (!hold_of(repository, id)) return false;
  remove_repository_file(hold_path(repository, id));
  sync_folder(repository.folder_of(id));
  return true;
}

std::optional<Hold> hold_of(const Repository& repository, const BackupId& id) {
  const std::filesystem::path path = hold_path(repository, id);
  try {
    const Json document = parse_json(read_small_file(path, hold_bytes_max), path.string());
    return Hold{Timestamp::parse(document.at("held_at").get<std::string>()),
                document.at("reason").get<std::string>()};
  } catch (const NotFoundError&) {
    return std::nullopt;
  } catch (const Error&) {
    return Hold{Timestamp(), "unreadable"};
  } catch (const nlohmann::json::exception&) {
    return Hold{Timestamp(), "unreadable"};
  }
}

}  // namespace nerve::backups
