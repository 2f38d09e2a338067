// SPDX-License-Identifier: Apache-2.0
#include "workspace_set.h"

#include "backup_stores.h"

#include "nerve/core/error.h"
#include "nerve/store.h"

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace nerve::cli {

namespace {

constexpr std::size_t passed_over_shown = 5;

/// The newest member of a set, of which the core store lay elsewhere: the workspace was moved or copied.
std::optional<backups::Manifest> member_of_elsewhere(const backups::Repository& repository,
                                                     const std::filesystem::path& core) {
  std::optional<backups::Manifest> newest;
  for (const backups::Entry& entry : repository.list()) {
    const std::optional<backups::Manifest>& one = entry.manifest;
    if (!one || !one->set || one->state != backups::State::good || one->set->role != to_string(Store::core))
      continue;
    if (one->source.path == backups::source_name(core)) continue;
    if (!newest || one->sequence > newest->sequence) newest = one;
  }
  return newest;
}

std::string hint_without_set(const backups::Repository& repository,
                             const std::vector<std::filesystem::path>& files) {
  if (const auto member = member_of_elsewhere(repository, files.front())) {
    return fmt::format(
        "There are sets of {}: if the workspace was moved or copied from there, restore its newest by "
        "'nerve-db "
        "restore {} --other-database'. The next backup begins sets of this place.",
        std::filesystem::path(member->source.path).parent_path().string(), member->id.short_text());
  }
  return "Name one store alone with --db; see what there is with 'nerve-db backup list'.";
}

}  // namespace

std::optional<backups::LatestSet> latest_set_of_workspace(Context& context,
                                                          const backups::Repository& repository,
                                                          const std::optional<Timestamp>& until) {
  std::vector<std::filesystem::path> files;
  for (const Store store : every_store) {
    const auto file = store_file(context, store);
    if (!file) return std::nullopt;
    files.push_back(*file);
  }
  auto set = backups::latest_set(repository, files, until);
  // A folder with settings and a core store alone is a workspace, too.
  if (!set && context.config().has("workspace.id")) {
    throw NotFoundError(
        fmt::format("there is no whole set of backups of both stores in {}", repository.path().string()),
        hint_without_set(repository, files));
  }
  return set;
}

std::vector<std::string> notes_of(std::vector<std::string> passed_over) {
  if (passed_over.size() <= passed_over_shown) return passed_over;
  const std::size_t more = passed_over.size() - passed_over_shown;
  passed_over.resize(passed_over_shown);
  passed_over.push_back(fmt::format("{} other newer backups are passed over, too", more));
  return passed_over;
}

}  // namespace nerve::cli
