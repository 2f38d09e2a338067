// SPDX-License-Identifier: Apache-2.0
#include "durable_file.h"
#include "layout.h"
#include "partial_backup.h"

#include "nerve/backups/retention.h"
#include "nerve/core/error.h"
#include "nerve/core/json.h"
#include "nerve/core/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

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
  if (reason.size() > reason_bytes_max) throw ValidationError("the reason is longer than 1,024 bytes");
  if (!is_valid_utf8(reason)) throw ValidationError("the reason is not valid UTF-8");
  // While the lock is held, nobody takes the partial file for what a dead process left.
  const RepositoryLock lock = RepositoryLock::shared(repository);
  const Json document = {{"format", hold_format},
                         {"backup", id.to_string()},
                         {"held_at", clock.now().to_text()},
                         {"reason", reason}};
  const std::filesystem::path partial =
      repository.path() / fmt::format("{}held-{}-{}", partial_folder_prefix, id.to_string(), ::getpid());
  remove_if_there(partial);
  write_new_file(partial, document.dump(2) + "\n");
  rename_durably(partial, hold_path(repository, id));
}

bool release_backup(const Repository& repository, const BackupId& id) {
  const RepositoryLock lock = RepositoryLock::shared(repository);
  if (!hold_of(repository, id)) return false;
  remove_if_there(hold_path(repository, id));
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
