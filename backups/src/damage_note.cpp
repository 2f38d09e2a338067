// SPDX-License-Identifier: Apache-2.0
#include "damage_note.h"

#include "durable_file.h"
#include "layout.h"

#include "nerve/core/error.h"
#include "nerve/core/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace nerve::backups {
namespace {

constexpr std::int64_t damage_format = 1;
constexpr std::size_t damage_bytes_max = std::size_t{64} << 10;
constexpr std::size_t problem_bytes_max = 4096;

}  // namespace

void note_damage(const Repository& repository, const BackupId& id, std::string_view problem,
                 const Clock& clock, const RepositoryLock* held) {
  // When it was first found says more than when it was met again.
  if (noted_damage(repository.folder_of(id))) return;
  const Json document = {{"format", damage_format},
                         {"backup", id.to_string()},
                         {"found_at", clock.now().to_text()},
                         {"problem", problem.substr(0, problem_bytes_max)}};
  try {
    const std::string text = document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    if (held != nullptr) {
      write_note(*held, repository, id, damage_file_name, text);
    } else {
      write_note(repository, id, damage_file_name, text);
    }
  } catch (const CancelledError&) {
    throw;
  } catch (const Error&) {
    return;
  }
}

std::optional<std::string> noted_damage(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / damage_file_name;
  try {
    const Json document = parse_json(read_small_file(path, damage_bytes_max), path.string());
    return fmt::format("damage was found in it at {}: {}", document.at("found_at").get<std::string>(),
                       document.at("problem").get<std::string>());
  } catch (const NotFoundError&) {
    return std::nullopt;
  } catch (const Error&) {
    return fmt::format("{} cannot be read, which notes that damage was found", path.string());
  } catch (const nlohmann::json::exception&) {
    return fmt::format("{} is damaged, which notes that damage was found", path.string());
  }
}

void forget_damage(const Repository& repository, const BackupId& id) {
  const RepositoryLock lock = RepositoryLock::shared(repository);
  remove_if_there(repository.folder_of(id) / damage_file_name);
}

}  // namespace nerve::backups
